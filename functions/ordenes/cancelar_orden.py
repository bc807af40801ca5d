"""ordenes/comando-cancelar-orden → conductores/comando-liberar-conductor, ordenes/evento-orden;
or, refused, saga/evento-rechazo.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from functions.engine.batch import Outputs, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoCancelarOrden
from functions.ordenes import decisions, tables
from functions.postgres.clock import now


class CancelarOrden(Function):
    """Cancels orders that were not dispatched, and has undone what was done for them."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoCancelarOrden]]) -> Outputs:
        return decide(tx, batch, partial(decisions.cancelar_orden, now=now(tx)), tables.ORDENES)
