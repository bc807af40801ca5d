"""Dead letters: what is published in place of a message that can't be processed."""

import time
import traceback
from typing import Any, Final

from functions.messages.envelope import InvalidMessage
from functions.messages.outgoing import Outgoing
from functions.pulsar_io.properties import properties, text

_NAMES_ON_THE_WIRE: Final[dict[type[Exception], str]] = {InvalidMessage: "MensajeInvalido"}
"""How reasons name our own errors: dead letters, the saga log and whoever searches them have known it from the first
version on.
"""


def reason(error: Exception) -> str:
    """An error in one line for people: type and text, at most 1,000 characters, without NUL, which PostgreSQL can't
    store.
    """
    name = _NAMES_ON_THE_WIRE.get(type(error), type(error).__name__)
    return f"{name}: {error}"[:1000].replace("\0", "\\0")


def dead_letter(raw: Any, function: str, error: Exception, attempts: int) -> Outgoing:
    """The dead letter of the received message `raw`, for the topic "<function>-dlq": its bytes, key and properties as
    they came, and properties dlq-… that say what is wrong, where it came from and when (`dlq-time`, ms since 1970-01-01
    UTC).
    """
    formatted = "" if isinstance(error, InvalidMessage) else "".join(traceback.format_exception(error))
    message_properties = {
        **properties(raw),
        "dlq-function": function,
        "dlq-topic": raw.topic_name(),
        "dlq-message-id": str(raw.message_id()),
        "dlq-schema-version": str(raw.int_schema_version()),
        "dlq-reason": reason(error),
        "dlq-traceback": formatted[-8000:],
        "dlq-attempts": str(attempts),
        "dlq-time": str(time.time_ns() // 1_000_000),
    }
    return Outgoing(f"{function}-dlq", text(raw.partition_key, ""), raw.data(), message_properties)
