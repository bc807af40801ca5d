"""ordenes/comando-crear-orden → productos/comando-disminuir-stock, ordenes/evento-orden,
ordenes/comando-verificar-orden.
"""

from collections.abc import Sequence
from typing import Any

from functions.engine.batch import Outputs, Store, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoCrearOrden
from functions.ordenes import decisions, tables
from functions.ordenes.deadlines import merge_deadlines
from functions.ordenes.decisions import Orden


class CrearOrden(Function):
    """Creates orders, asks for their stock, and sets one deadline for all orders of the batch."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoCrearOrden]]) -> Outputs:
        return _crear(tx, batch, tables.ORDENES)

    def handle_new(self, tx: Any, batch: Sequence[Message[ComandoCrearOrden]]) -> Outputs:
        return _crear(tx, batch, tables.ORDENES.assumed_empty())


def _crear(tx: Any, batch: Sequence[Message[ComandoCrearOrden]], ordenes: Store[Orden]) -> Outputs:
    return merge_deadlines(decide(tx, batch, decisions.crear, ordenes))
