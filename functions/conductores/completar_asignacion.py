"""conductores/comando-completar-asignacion → database conductores."""

from collections.abc import Sequence
from typing import Any

from functions.conductores import decisions, tables
from functions.engine.batch import Outputs, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoCompletarAsignacion


class CompletarAsignacion(Function):
    """Frees the drivers of orders that were delivered."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoCompletarAsignacion]]) -> Outputs:
        return decide(tx, batch, decisions.completar_asignacion, tables.ASIGNACIONES)
