"""ordenes/comando-crear-orden → productos/comando-disminuir-stock, ordenes/evento-orden,
ordenes/comando-verificar-orden.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from functions.engine.batch import Outputs, Store, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoCrearOrden
from functions.ordenes import decisions, tables
from functions.ordenes.deadlines import merge_checks, plazos
from functions.ordenes.states import Orden
from functions.postgres.clock import now


class CrearOrden(Function):
    """Creates orders, asks for their stock, and has all orders of the batch checked later, with one message."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoCrearOrden]]) -> Outputs:
        return self._crear(tx, batch, tables.ORDENES)

    def handle_new(self, tx: Any, batch: Sequence[Message[ComandoCrearOrden]]) -> Outputs:
        return self._crear(tx, batch, tables.ORDENES.assumed_empty())

    def _crear(self, tx: Any, batch: Sequence[Message[ComandoCrearOrden]], ordenes: Store[Orden]) -> Outputs:
        crear = partial(decisions.crear, now=now(tx), plazos=plazos(self.config))
        return merge_checks(decide(tx, batch, crear, ordenes))
