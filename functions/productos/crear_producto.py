"""productos/comando-crear-producto → productos/evento-producto."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from functions.engine.batch import Outputs, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoCrearProducto
from functions.postgres.clock import now
from functions.productos import decisions, tables


class CrearProducto(Function):
    """Creates products."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoCrearProducto]]) -> Outputs:
        return decide(tx, batch, partial(decisions.crear, now=now(tx)), tables.PRODUCTOS)
