"""conductores/comando-completar-asignacion → conductores/evento-conductor;
for orders that wait, ordenes/comando-marcar-listo-despacho.
"""

from collections.abc import Sequence
from typing import Any

from functions.conductores import decisions, tables, waiting
from functions.engine.batch import Outputs, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoCompletarAsignacion


class CompletarAsignacion(Function):
    """Frees the drivers of orders that were delivered, for those that wait."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoCompletarAsignacion]]) -> Outputs:
        changes = waiting.begin(tx)
        outputs = decide(tx, batch, decisions.completar_asignacion, tables.asignaciones(changes))
        return waiting.finish(tx, outputs, changes)
