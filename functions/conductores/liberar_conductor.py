"""conductores/comando-liberar-conductor → productos/comando-revertir-disminuir-stock, conductores/evento-conductor;
for orders that wait, ordenes/comando-marcar-listo-despacho.
"""

from collections.abc import Sequence
from typing import Any

from functions.conductores import decisions, tables, waiting
from functions.engine.batch import Outputs, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoLiberarConductor


class LiberarConductor(Function):
    """Frees the drivers of orders for those that wait, and has the rest of the orders compensated."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoLiberarConductor]]) -> Outputs:
        changes = waiting.begin(tx)
        outputs = decide(tx, batch, decisions.liberar, tables.asignaciones(changes))
        return waiting.finish(tx, outputs, changes)
