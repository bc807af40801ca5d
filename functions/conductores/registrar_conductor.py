"""conductores/comando-registrar-conductor → conductores/evento-conductor;
for orders that wait, ordenes/comando-marcar-listo-despacho.
"""

from collections.abc import Sequence
from typing import Any

from functions.conductores import tables, waiting
from functions.conductores.states import Changes
from functions.engine.batch import Outputs, add_to_last
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoRegistrarConductor
from functions.postgres.clock import now


class RegistrarConductor(Function):
    """Adds drivers, free for the orders that wait; says how those are that are there already."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoRegistrarConductor]]) -> Outputs:
        tables.lock(tx)
        changes = Changes(now(tx))
        tables.registrar(tx, [message.data for message in batch], changes.moment)
        served = waiting.serve(tx, changes)
        ids = list({message.data.id_conductor for message in batch})
        changes.put(list(tables.load_conductores(tx, ids).values()))
        return add_to_last([[] for _ in batch], [*served, *changes.events()])
