"""Dead-letter topics: how many dead letters each has, and reading them. Nothing is acknowledged unless told."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final, Self

import pulsar

from functions.messages.topics import TENANT, short_name
from functions.pulsar_io.properties import text
from tools.cluster.rest import broker_answers
from tools.cluster.topics import DEAD_LETTER_SUBSCRIPTION, dead_letter_topic
from tools.dead_letters.model import DeadLetter, Position
from tools.errors import ToolError

QUEUE_SIZE: Final = 100
"""Dead letters that the client fetches ahead: each may have megabytes."""
MAX_WAIT: Final = 10.0
"""Longest wait for a dead letter that the broker has counted, in s."""
REMAINDER_MAX_WAIT: Final = 1.0
"""Longest wait for one that may not be there, in s: the rest of a batch, or what chunks were counted as."""
PAUSE: Final = 1.2
"""Between the last acknowledgement and the others, in s: a broker writes down what was acknowledged at most once a
second, and what it skips only within a minute. The last one makes it write down all, for it may be killed."""


def count_dead_letters(functions: Sequence[str]) -> dict[str, int]:
    """How many dead letters each function (<namespace>/<name>) has; one that came in chunks counts as several.

    Raises ToolError if a dead-letter topic has no subscription for operators.
    """
    paths = [f"/admin/v2/persistent/{TENANT}/{function}-dlq/stats?getPreciseBacklog=true" for function in functions]
    counts = {}
    for function, stats in zip(functions, broker_answers(*paths), strict=True):
        subscriptions = stats["subscriptions"] if stats else {}
        if DEAD_LETTER_SUBSCRIPTION not in subscriptions:
            missing = f"{dead_letter_topic(function)} has no subscription {DEAD_LETTER_SUBSCRIPTION}"
            raise ToolError(f"{missing}: run provision.py, which makes it")
        counts[function] = int(subscriptions[DEAD_LETTER_SUBSCRIPTION]["msgBacklog"])
    return counts


class Mailbox:
    """The dead letters of one function that were there when it was opened, oldest first.

    A context manager. While it is open, nobody else can read the topic. Iterating over it reads; only what is given to
    `acknowledge` leaves the topic. It does not promise that an acknowledgement survives a lost connection: the dead
    letter then comes again later, which `__exit__` warns of.
    """

    def __init__(self, client: pulsar.Client, function: str, count: int) -> None:
        """Subscribes; ToolError if somebody else is reading the topic.

        `function`: <namespace>/<name>; `count`: as `count_dead_letters` says, to know when the last one has come.
        """
        self._function, self._remaining = function, count
        self._until = Position(-1, -1)
        self._chunked = False
        self._acknowledged: set[Position] = set()
        self._held_back: Any = None
        self.is_incomplete = False
        topic = dead_letter_topic(function)
        try:
            self._consumer = client.subscribe(
                topic, DEAD_LETTER_SUBSCRIPTION, receiver_queue_size=QUEUE_SIZE, max_pending_chunked_message=0
            )
        except pulsar.ConsumerBusy as error:
            raise ToolError(f"somebody else is at work on {topic}: let them end, then run this again") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Sends the last acknowledgement, and gives the other dead letters back."""
        if len(self._acknowledged) > 1:
            time.sleep(PAUSE)
        if self._held_back is not None:
            self._consumer.acknowledge(self._held_back)
        if self._acknowledged and not self._consumer.is_connected():
            warning = "the connection broke: letters just done may be listed again; to do them twice does no harm"
            print(f"warning: {short_name(dead_letter_topic(self._function))}: {warning}", file=sys.stderr)
        self._consumer.close()

    def __iter__(self) -> Iterator[DeadLetter]:
        """Each dead letter once, even if the broker is unavailable meanwhile.

        Sets `is_incomplete` if some did not come. It ends at the topic's last message, or once as many have come as
        were counted, and the rest of the last one's batch.
        """
        final = _position(self._consumer.get_last_message_id())
        while self._until < final and (self._remaining > 0 or self._until.index >= 0):
            dead_letter = self._receive()
            if dead_letter is None:
                break
            if dead_letter.position.location != self._until.location:
                if self._remaining <= 0:
                    break  # the rest of a batch was awaited, and this is a newer dead letter
                self._remaining -= 1
            self._until = dead_letter.position
            yield dead_letter
        self.is_incomplete = self._until < final and self._remaining > 0 and not self._chunked

    def acknowledge(self, dead_letter: DeadLetter) -> None:
        """Takes a dead letter out of the topic; the last one's acknowledgement is sent when the mailbox is closed."""
        if self._held_back is not None:
            self._consumer.acknowledge(self._held_back)
        self._acknowledged.add(dead_letter.position)
        self._held_back = dead_letter.message_id

    def _receive(self) -> DeadLetter | None:
        """The next dead letter; None if it does not come in time."""
        max_wait = MAX_WAIT if self._remaining > 0 and not self._chunked else REMAINDER_MAX_WAIT
        deadline = time.monotonic() + max_wait
        while time.monotonic() < deadline:
            with suppress(pulsar.Timeout):
                message = self._consumer.receive(timeout_millis=500)
                deadline = time.monotonic() + max_wait
                position = _position(message.message_id())
                if position > self._until:
                    self._chunked |= ";" in str(message.message_id())
                    return _dead_letter(self._function, position, message)
                if position in self._acknowledged:  # it comes again: the acknowledgement was lost with the connection
                    self._consumer.acknowledge(message.message_id())
        return None


def _position(message_id: Any) -> Position:
    return Position(message_id.ledger_id(), message_id.entry_id(), message_id.batch_index())


def _dead_letter(function: str, position: Position, message: pulsar.Message) -> DeadLetter:
    return DeadLetter(
        function=function,
        position=position,
        key=text(message.partition_key, ""),
        body=message.data(),
        properties=text(message.properties, {}),
        publish_timestamp=message.publish_timestamp(),
        message_id=message.message_id(),
    )
