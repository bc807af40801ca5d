"""productos/comando-ajustar-stock → productos/evento-producto."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from functions.engine.batch import Outputs, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoAjustarStock
from functions.postgres.clock import now
from functions.productos import decisions, tables
from functions.productos.movimientos import gather


class AjustarStock(Function):
    """Adds units to products' stock, or takes some away; or refuses."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoAjustarStock]]) -> Outputs:
        return gather(decide(tx, batch, partial(decisions.ajustar, now=now(tx)), tables.PRODUCTOS, tables.AJUSTES))
