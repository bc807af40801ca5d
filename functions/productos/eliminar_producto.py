"""productos/comando-eliminar-producto → productos/evento-producto."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from functions.engine.batch import Outputs, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoEliminarProducto
from functions.postgres.clock import now
from functions.productos import decisions, tables


class EliminarProducto(Function):
    """Marks products as deleted."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoEliminarProducto]]) -> Outputs:
        return decide(tx, batch, partial(decisions.eliminar, now=now(tx)), tables.PRODUCTOS)
