"""conductores/comando-liberar-conductor → productos/comando-revertir-disminuir-stock."""

from collections.abc import Sequence
from typing import Any

from functions.conductores import decisions, tables
from functions.engine.batch import Outputs, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoLiberarConductor


class LiberarConductor(Function):
    """Frees the drivers of orders, and has the rest of the orders compensated."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoLiberarConductor]]) -> Outputs:
        return decide(tx, batch, decisions.liberar, tables.ASIGNACIONES)
