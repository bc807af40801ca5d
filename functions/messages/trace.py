"""One trace for a request and all messages that it leads to: W3C Trace Context, as the message property `traceparent`.

Each message is a span whose id is taken from the message's id, so that a redelivered message is the same span.
"""

import re
import secrets
from typing import Final

from functions.messages.frozen import frozen
from functions.messages.ids import Id

PROPERTY: Final = "traceparent"
_PATTERN: Final = re.compile(
    "(?:00(?!.{54})|(?!00|ff)[0-9a-f]{2})"  # later versions than 00 may append fields
    "-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)


@frozen
class Trace:
    """A trace. `id`: 32 hexadecimal digits; `flags`: 2, the lowest bit of which says that somebody records the
    trace.
    """

    id: str
    flags: str = "00"


def new(flags: str = "00") -> Trace:
    """A trace with a random id."""
    return Trace(secrets.token_hex(16), flags)


def parse(traceparent: str | None) -> Trace | None:
    """The trace that a `traceparent` header or property names; None for anything malformed, which is never an error."""
    parsed = _PATTERN.fullmatch(traceparent or "")
    return Trace(parsed[1], parsed[3]) if parsed else None


def parent_span(traceparent: str | None) -> int | None:
    """The id of the caller's span in a `traceparent`; None for anything malformed."""
    parsed = _PATTERN.fullmatch(traceparent or "")
    return int(parsed[2], 16) if parsed else None


def span_of(id_mensaje: Id) -> str:
    """The id of a message's span: the second half of the message's id, 16 hexadecimal digits."""
    return id_mensaje[19:23] + id_mensaje[24:]


def properties(trace: Trace | None, id_mensaje: Id) -> dict[str, str]:
    """The message properties that say the trace; empty if the message belongs to none."""
    return {} if trace is None else {PROPERTY: f"00-{trace.id}-{span_of(id_mensaje)}-{trace.flags}"}
