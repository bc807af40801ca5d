"""productos/comando-renombrar-producto → productos/evento-producto."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from functions.engine.batch import Outputs, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoRenombrarProducto
from functions.postgres.clock import now
from functions.productos import decisions, tables


class RenombrarProducto(Function):
    """Gives products other names."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoRenombrarProducto]]) -> Outputs:
        return decide(tx, batch, partial(decisions.renombrar, now=now(tx)), tables.PRODUCTOS)
