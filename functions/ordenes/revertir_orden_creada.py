"""ordenes/comando-revertir-orden-creada → ordenes/evento-orden."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from functions.engine.batch import Outputs, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoRevertirOrdenCreada
from functions.ordenes import decisions, tables
from functions.postgres.clock import now


class RevertirOrdenCreada(Function):
    """Makes orders `fallida`: they were compensated."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoRevertirOrdenCreada]]) -> Outputs:
        return decide(tx, batch, partial(decisions.revertir, now=now(tx)), tables.ORDENES)
