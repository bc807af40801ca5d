"""conductores/comando-registrar-conductor → database conductores."""

from collections.abc import Sequence
from typing import Any

from functions.conductores import tables
from functions.engine.batch import Outputs
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoRegistrarConductor


class RegistrarConductor(Function):
    """Adds drivers."""

    uses_receipts = False

    def handle(self, tx: Any, batch: Sequence[Message[ComandoRegistrarConductor]]) -> Outputs:
        tables.registrar(tx, [message.data for message in batch])
        return []
