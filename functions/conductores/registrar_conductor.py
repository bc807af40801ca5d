"""conductores/comando-registrar-conductor → database conductores;
for orders that wait, ordenes/comando-marcar-listo-despacho.
"""

from collections.abc import Sequence
from typing import Any

from functions.conductores import tables, waiting
from functions.engine.batch import Outputs, add_to_last
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoRegistrarConductor


class RegistrarConductor(Function):
    """Adds drivers, free for the orders that wait."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoRegistrarConductor]]) -> Outputs:
        tables.lock(tx)
        tables.registrar(tx, [message.data for message in batch])
        return add_to_last([[] for _ in batch], waiting.serve(tx))
