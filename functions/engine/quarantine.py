"""Quarantine: what becomes of a message that can't be processed."""

import logging

from functions.messages.envelope import Message
from functions.messages.ids import derived
from functions.messages.outgoing import Outgoing, to_outgoing
from functions.messages.payloads import EventoCuarentena, Payload
from functions.pulsar_io.dead_letter import dead_letter, reason
from functions.pulsar_io.schema import Received
from functions.telemetry.metrics import QUARANTINED, Metrics

_log = logging.getLogger("functions.engine")


class Quarantine:
    """Makes what is published in place of a message that can't be processed, and logs and counts it.

    `function` is the full name, "<namespace>/<function>"; dead letters go to its topic "<namespace>/<function>-dlq".
    Nothing is published here: the engine publishes what it is given, then acknowledges the message.
    """

    def __init__(self, function: str, service: str, metrics: Metrics) -> None:
        self._function = function
        self._service = service
        self._metrics = metrics

    def dead_letter(self, received: Received, error: Exception, attempts: int) -> Outgoing:
        """The dead letter of a message that failed with `error` at the last of so many `attempts`."""
        raw = received.raw
        trace_id = received.trace.id if received.trace else "none"
        self._metrics.record(QUARANTINED, 1)
        _log.error("quarantined %s of %s, trace %s: %s", raw.message_id(), raw.topic_name(), trace_id, error)
        return dead_letter(raw, self._function, error, attempts)

    def outputs(self, received: Received, message: Message[Payload], error: Exception, attempts: int) -> list[Outgoing]:
        """The dead letter and, if the message is about an order, an event for the saga log."""
        outputs = [self.dead_letter(received, error, attempts)]
        payload = message.data
        id_orden = getattr(payload, "id_orden", None)
        if id_orden is not None and not isinstance(payload, EventoCuarentena):
            evento = EventoCuarentena(
                funcion=self._function,
                origen=received.raw.topic_name(),
                id_mensaje=str(received.raw.message_id()),
                accion="en-cuarentena",
                motivo=reason(error),
                operador=None,
                id_orden=id_orden,
                transaction_id=getattr(payload, "transaction_id", None),
            )
            id_evento = derived(message.id, f"{self._function}/{evento.id_mensaje}")
            outputs.append(to_outgoing(id_evento, message.ingestion, self._service, evento, received.trace))
        return outputs
