"""conductores/comando-retirar-conductor → conductores/evento-conductor."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from functions.conductores import states, tables, waiting
from functions.engine.batch import Outputs, add_to_last, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoRetirarConductor


class RetirarConductor(Function):
    """Retires drivers: the order at hand is the last one."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoRetirarConductor]]) -> Outputs:
        changes = waiting.begin(tx)
        outputs = decide(tx, batch, partial(states.retirar, now=changes.moment), tables.conductores(changes))
        return add_to_last(outputs, changes.events())
