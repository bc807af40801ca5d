"""productos/comando-revertir-disminuir-stock → ordenes/comando-revertir-orden-creada, productos/evento-producto."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from functions.engine.batch import Outputs, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoRevertirDisminuirStock
from functions.postgres.clock import now
from functions.productos import decisions, tables
from functions.productos.movimientos import gather


class RevertirDisminuirStock(Function):
    """Gives back the stock of orders, and has the orders compensated."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoRevertirDisminuirStock]]) -> Outputs:
        outputs = decide(tx, batch, partial(decisions.revertir, now=now(tx)), tables.PRODUCTOS, tables.RESERVAS)
        return gather(outputs)
