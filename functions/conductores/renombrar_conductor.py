"""conductores/comando-renombrar-conductor → conductores/evento-conductor."""

from collections.abc import Sequence
from typing import Any

from functions.conductores import states, tables, waiting
from functions.engine.batch import Outputs, add_to_last, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoRenombrarConductor


class RenombrarConductor(Function):
    """Gives drivers other names."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoRenombrarConductor]]) -> Outputs:
        changes = waiting.begin(tx)
        outputs = decide(tx, batch, states.renombrar, tables.conductores(changes))
        return add_to_last(outputs, changes.events())
