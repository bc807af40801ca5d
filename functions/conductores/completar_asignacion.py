"""conductores/comando-completar-asignacion → conductores/evento-conductor;
for orders that wait, ordenes/comando-marcar-listo-despacho.
"""

from collections.abc import Sequence
from typing import Any

from functions.conductores import decisions, tables, waiting
from functions.conductores.states import Changes
from functions.engine.batch import Outputs, add_to_last, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoCompletarAsignacion
from functions.postgres.clock import now


class CompletarAsignacion(Function):
    """Frees the drivers of orders that were delivered, for those that wait."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoCompletarAsignacion]]) -> Outputs:
        tables.lock(tx)
        changes = Changes(now(tx))
        outputs = decide(tx, batch, decisions.completar_asignacion, tables.asignaciones(changes))
        served = waiting.serve(tx, changes)
        return add_to_last(outputs, [*served, *changes.events()])
