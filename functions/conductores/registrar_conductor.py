"""conductores/comando-registrar-conductor → conductores/evento-conductor;
for orders that wait, ordenes/comando-marcar-listo-despacho.
"""

from collections.abc import Sequence
from typing import Any

from functions.conductores import tables, waiting
from functions.engine.batch import Outputs
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoRegistrarConductor


class RegistrarConductor(Function):
    """Adds drivers, free for the orders that wait; says how those are that are there already."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoRegistrarConductor]]) -> Outputs:
        changes = waiting.begin(tx)
        tables.registrar(tx, [message.data for message in batch], changes.moment)
        ids = list({message.data.id_conductor for message in batch})
        changes.put(list(tables.load_conductores(tx, ids).values()))
        return waiting.finish(tx, [[] for _ in batch], changes)
