"""The audit of what operators do with dead letters: events that the function registrar-saga writes to the saga log."""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from functions.messages.ids import Id, parse
from functions.messages.outgoing import Outgoing, to_outgoing
from functions.messages.payloads import EventoCuarentena
from tools.cluster.topics import dead_letter_topic
from tools.dead_letters.model import DeadLetter
from tools.messages.writer_schemas import Decoded
from tools.terminal import sanitize

MAX_TEXT: Final = 1000
"""Characters of a text in an event, at most."""


@dataclass(frozen=True, slots=True)
class Audit:
    """Makes the events of one operator's action: what is done, why, and by whom."""

    action: str
    reason: str
    operator: str

    def evento(self, dead_letter: DeadLetter, decoded: Decoded) -> Outgoing:
        """The event that this is done with a dead letter.

        It has the same id each time: an operator who does it again after a crash adds nothing to the saga log.
        """
        topic = dead_letter_topic(dead_letter.function)
        evento = EventoCuarentena(
            funcion=dead_letter.function,
            origen=_short_text(dead_letter.properties.get("dlq-topic", topic)),
            id_mensaje=_short_text(dead_letter.properties.get("dlq-message-id", dead_letter.id)),
            accion=self.action,
            motivo=_short_text(self.reason),
            operador=_short_text(self.operator),
            id_orden=_id(decoded.data.get("id_orden")),
            transaction_id=_id(decoded.data.get("transaction_id")),
        )
        identity = (topic, dead_letter.id, dead_letter.publish_timestamp, self.action, self.reason, self.operator)
        ingestion = decoded.envelope.get("ingestion")
        when = ingestion if isinstance(ingestion, int) else time.time_ns() // 1_000_000
        return to_outgoing(Id(str(uuid5(NAMESPACE_URL, repr(identity)))), when, "dlq", evento)


def _id(value: object) -> Id | None:
    """An id of the message's payload; None if it is no UUID, for a dead letter holds whatever was sent."""
    with suppress(ValueError):
        return parse(str(value))
    return None


def _short_text(text: str) -> str:
    """A text as an event may hold it: without control characters, and not longer than MAX_TEXT."""
    return sanitize(text)[:MAX_TEXT]
