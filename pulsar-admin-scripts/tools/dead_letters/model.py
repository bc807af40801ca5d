"""Dead letters: what one says of itself, and which ones an operator means."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from functions.messages.ids import Id
from tools.messages.dead_letter import integer, original_topic, schema_version

_ID: Final = re.compile(r"([\w-]+):(\d+):(\d+)(?::(\d+))?")


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a dead letter is in its topic. `index` is -1 unless it was published by hand, in a batch."""

    ledger: int
    entry: int
    index: int = -1

    @property
    def location(self) -> tuple[int, int]:
        """The position of the whole batch."""
        return self.ledger, self.entry


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that a function could not process, as it came, with properties that say why.

    Properties of a dead letter that was published by hand may be missing or nonsense: what they say is None, or empty.

    `function`: <namespace>/<name> of the function that could not process it. `key`, `body`: the message's own.
    `publish_timestamp`: when it came into the dead-letter topic, in ms since 1970-01-01 UTC. `message_id`: the client's
    own message id, to acknowledge it with.
    """

    function: str
    position: Position
    key: str
    body: bytes
    properties: Mapping[str, str]
    publish_timestamp: int
    message_id: Any = field(compare=False, default=None)

    @property
    def id(self) -> str:
        """What operators call it: <function's name>:<ledger>:<entry>, and :<index> if it is in a batch."""
        ledger, entry, index = self.position.ledger, self.position.entry, self.position.index
        return f"{self.function.partition('/')[2]}:{ledger}:{entry}" + (f":{index}" if index >= 0 else "")

    @property
    def topic(self) -> str | None:
        """The topic that the message was on: full name without partition."""
        return original_topic(self.properties)

    @property
    def version(self) -> int | None:
        """The broker's number of the schema that the message was written in; -1 if it came without one."""
        return schema_version(self.properties)

    @property
    def attempts(self) -> int | None:
        """How often the function tried to process the message."""
        return integer(self.properties, "dlq-attempts")

    @property
    def reason(self) -> str:
        """The error, in one line."""
        return self.properties.get("dlq-reason", "")

    @property
    def timestamp(self) -> datetime:
        """When it was quarantined; if it does not say, when it came into its topic."""
        with suppress(OverflowError, OSError, ValueError):
            return _from_ms(integer(self.properties, "dlq-time") or self.publish_timestamp)
        return _from_ms(self.publish_timestamp)

    @property
    def redrive_count(self) -> int:
        """How often the message was redriven before."""
        return max(0, integer(self.properties, "dlq-redriven") or 0)

    @property
    def original_properties(self) -> dict[str, str]:
        """The properties that the message itself had."""
        return {key: value for key, value in self.properties.items() if not key.startswith("dlq-")}


def parse_id(text: str) -> tuple[str, Position]:
    """The function's name and the position that a dead letter's id stands for; ValueError if it is none."""
    match = _ID.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no id of a letter: they look like crear-orden:12:0, `list` shows them")
    name, *numbers = match.groups(default="-1")
    return name, Position(*map(int, numbers))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dead letters are meant: those that match every field that is not None.

    `ids`: names of functions with positions. `reason`: found anywhere in the reason. `topic`: full name of the topic
    that the message was on. `since`, `until`: when it was quarantined; until does not include its time. `order`,
    `transaction`: the payload's `id_orden`, `transaction_id`.
    """

    ids: frozenset[tuple[str, Position]] | None = None
    reason: re.Pattern[str] | None = None
    topic: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    order: Id | None = None
    transaction: Id | None = None

    def matches(self, dead_letter: DeadLetter, data: Mapping[str, Any]) -> bool:
        """True if the dead letter is meant; `data` is its message's payload, empty if it can't be decoded."""
        return (
            (self.ids is None or (dead_letter.function.partition("/")[2], dead_letter.position) in self.ids)
            and (self.reason is None or self.reason.search(dead_letter.reason) is not None)
            and (self.topic is None or dead_letter.topic == self.topic)
            and (self.since is None or dead_letter.timestamp >= self.since)
            and (self.until is None or dead_letter.timestamp < self.until)
            and (self.order is None or data.get("id_orden") == self.order)
            and (self.transaction is None or data.get("transaction_id") == self.transaction)
        )


def _from_ms(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
