"""ordenes/comando-suspender-plazos → database ordenes."""

import logging
from collections.abc import Sequence
from typing import Any, Final

from functions.engine.batch import Outputs
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoSuspenderPlazos
from functions.ordenes import tables

_log: Final = logging.getLogger(__name__)


class SuspenderPlazos(Function):
    """Suspends and resumes giving orders up, as operators say; keeps who said so and why."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoSuspenderPlazos]]) -> Outputs:
        comandos = [message.data for message in batch]
        tables.suspend(tx, comandos)
        for comando in comandos:
            action = "suspended" if comando.suspendidos else "resumed"
            _log.warning("giving orders up is %s by %s: %s", action, comando.operador, comando.motivo)
        return [[] for _ in batch]
