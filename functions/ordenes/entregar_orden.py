"""ordenes/comando-entregar-orden → conductores/comando-completar-asignacion, ordenes/evento-orden;
or, refused, saga/evento-rechazo.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from functions.engine.batch import Outputs, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoEntregarOrden
from functions.ordenes import decisions, tables
from functions.postgres.clock import now


class EntregarOrden(Function):
    """Marks orders as delivered, and has their drivers freed."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoEntregarOrden]]) -> Outputs:
        return decide(tx, batch, partial(decisions.entregar_orden, now=now(tx)), tables.ORDENES)
