"""productos/comando-disminuir-stock → conductores/comando-asignar-conductor, productos/evento-producto;
or, refused, ordenes/comando-revertir-orden-creada.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from functions.engine.batch import Outputs, Store, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoDisminuirStock
from functions.postgres.clock import now
from functions.productos import decisions, tables
from functions.productos.decisions import Reserva
from functions.productos.movimientos import gather


class DisminuirStock(Function):
    """Reserves stock for orders, and asks for their drivers; or refuses, and the order is compensated."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoDisminuirStock]]) -> Outputs:
        return _disminuir(tx, batch, tables.RESERVAS)

    def handle_new(self, tx: Any, batch: Sequence[Message[ComandoDisminuirStock]]) -> Outputs:
        return _disminuir(tx, batch, tables.RESERVAS.assumed_empty())


def _disminuir(tx: Any, batch: Sequence[Message[ComandoDisminuirStock]], reservas: Store[Reserva]) -> Outputs:
    outputs = decide(tx, batch, partial(decisions.disminuir, now=now(tx)), tables.PRODUCTOS, reservas)
    return gather(outputs)
