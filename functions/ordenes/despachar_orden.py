"""ordenes/comando-despachar-orden → ordenes/evento-orden;
or, refused, saga/evento-rechazo.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from functions.engine.batch import Outputs, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoDespacharOrden
from functions.ordenes import decisions, tables
from functions.postgres.clock import now


class DespacharOrden(Function):
    """Marks orders as dispatched: their drivers have set off."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoDespacharOrden]]) -> Outputs:
        return decide(tx, batch, partial(decisions.despachar_orden, now=now(tx)), tables.ORDENES)
