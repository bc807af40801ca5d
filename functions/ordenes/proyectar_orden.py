"""ordenes/evento-orden → database ordenes_lectura."""

from collections.abc import Sequence
from typing import Any

from functions.engine.batch import Outputs, newest
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import EventoOrden
from functions.ordenes import tables


class ProyectarOrden(Function):
    """Brings the read model of the orders up to date."""

    uses_receipts = False

    def handle(self, tx: Any, batch: Sequence[Message[EventoOrden]]) -> Outputs:
        tables.proyectar(tx, newest((message.data for message in batch), "id_orden"))
        return []
