"""conductores/evento-conductor → database conductores_lectura."""

from collections.abc import Sequence
from typing import Any

from functions.conductores import tables
from functions.engine.batch import Outputs, newest
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import EventoConductor


class ProyectarConductor(Function):
    """Brings the read model of the drivers up to date."""

    uses_receipts = False
    linger = 0.02
    batch_size = 50
    """Each event may tell of 100 drivers."""

    def handle(self, tx: Any, batch: Sequence[Message[EventoConductor]]) -> Outputs:
        told = (conductor for message in batch for conductor in message.data.conductores)
        tables.proyectar(tx, newest(told, "id_conductor"))
        return []
