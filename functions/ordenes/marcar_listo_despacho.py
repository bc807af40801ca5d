"""ordenes/comando-marcar-listo-despacho → ordenes/evento-orden."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from functions.engine.batch import Outputs, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoMarcarListoDespacho
from functions.ordenes import decisions, tables
from functions.postgres.clock import now


class MarcarListoDespacho(Function):
    """Makes orders `iniciada`: they have a driver."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoMarcarListoDespacho]]) -> Outputs:
        return decide(tx, batch, partial(decisions.marcar_listo, now=now(tx)), tables.ORDENES)
