"""Every command of the order saga, and what became of quarantined messages → database saga, the saga log."""

from collections.abc import Sequence
from typing import Any

from functions.engine.batch import Outputs
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.saga import tables


class RegistrarSaga(Function):
    """Writes the saga log."""

    uses_receipts = False
    linger = 0.02

    def handle(self, tx: Any, batch: Sequence[Message[Any]]) -> Outputs:
        tables.save(tx, batch)
        return []
