"""conductores/evento-conductor → database conductores_lectura."""

from collections.abc import Sequence
from typing import Any

from functions.conductores import tables
from functions.engine.batch import Outputs
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
        told = [conductor for message in batch for conductor in message.data.conductores]
        newest = {conductor.id_conductor: conductor for conductor in sorted(told, key=lambda one: one.version)}
        tables.proyectar(tx, list(newest.values()))
        return []
