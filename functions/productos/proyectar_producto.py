"""productos/evento-producto → database productos_lectura."""

from collections.abc import Sequence
from typing import Any

from functions.engine.batch import Outputs, newest
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import EventoProducto
from functions.productos import tables


class ProyectarProducto(Function):
    """Brings the read model of the products up to date."""

    uses_receipts = False
    linger = 0.02
    batch_size = 100
    """Each event may tell of the movements of 500 orders."""

    def handle(self, tx: Any, batch: Sequence[Message[EventoProducto]]) -> Outputs:
        events = [message.data for message in batch]
        tables.proyectar(tx, newest(events, "id_producto"))
        tables.add_movimientos(tx, events)
        return []
