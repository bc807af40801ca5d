"""ordenes/comando-marcar-listo-despacho → ordenes/evento-orden."""

from collections.abc import Sequence
from typing import Any

from functions.engine.batch import Outputs, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoMarcarListoDespacho
from functions.ordenes import decisions, tables


class MarcarListoDespacho(Function):
    """Makes orders `iniciada`: they have a driver."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoMarcarListoDespacho]]) -> Outputs:
        return decide(tx, batch, decisions.marcar_listo, tables.ORDENES)
