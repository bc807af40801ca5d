"""Follows topics: shows each selected message as it comes, and waits for a broker that is unavailable."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pulsar

from functions.program.output import require_reader
from tools.cluster.topics import dead_letter_topics
from tools.messages.listener import Listener
from tools.messages.received import ReceivedMessage, read_message
from tools.messages.writer_schemas import SchemaRegistry

CHECK_INTERVAL: Final = 1.0
"""How often the connection to the broker is checked, in s."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which messages are shown, and when it ends. What is None does not matter.

    `order`, `transaction`: the payload's `id_orden`, `transaction_id`. `count`: end after so many messages.
    `until_idle`: end once none was shown for so many seconds; time in which the broker is unavailable, or topics have
    more messages to read, does not count.
    """

    order: str | None = None
    transaction: str | None = None
    count: int | None = None
    until_idle: float | None = None

    def matches(self, message: ReceivedMessage) -> bool:
        """True if the message is to be shown."""
        data = message.decoded.data
        return (self.order is None or data.get("id_orden") == self.order) and (
            self.transaction is None or data.get("transaction_id") == self.transaction
        )


class Connection:
    """Says on stderr when the broker becomes unavailable, and when it is back. Never gives up."""

    def __init__(self, listener: Listener) -> None:
        self._listener, self._next_check = listener, time.monotonic() + CHECK_INTERVAL
        self.available = True

    def check(self) -> None:
        """Asks the client for the state of its connections, once in CHECK_INTERVAL."""
        if time.monotonic() >= self._next_check:
            self._next_check = time.monotonic() + CHECK_INTERVAL
            self._announce(self._listener.connected)

    def read(self, schemas: SchemaRegistry, topic: str, message: Any) -> ReceivedMessage:
        """Decodes a message, however long it takes until the broker says which schema it was written in."""
        while True:
            try:
                return read_message(schemas, topic, message, topic in dead_letter_topics())
            except pulsar.Interrupted:
                raise
            except pulsar.PulsarException as error:
                self._announce(False, error)
                time.sleep(CHECK_INTERVAL)

    def _announce(self, available: bool, reason: object = "no connection") -> None:
        if available != self.available:
            news = "the broker is back" if available else f"the broker is away ({reason}): waiting for it …"
            print(news, file=sys.stderr, flush=True)
        self.available = available


def follow(
    client: pulsar.Client, listener: Listener, selection: Selection, show: Callable[[ReceivedMessage], None]
) -> None:
    """Calls `show` for each selected message until the selection's end, or for ever if it has none.

    Raises BrokenPipeError once nobody reads the standard output any more, even if there is nothing to write.
    """
    schemas, connection = SchemaRegistry(client), Connection(listener)
    shown = 0
    last_shown = time.monotonic()
    while not selection.until_idle or time.monotonic() - last_shown < selection.until_idle:
        for topic, raw in listener.read():
            message = connection.read(schemas, topic, raw)
            if selection.matches(message):
                show(message)
                shown += 1
                last_shown = time.monotonic()
                if shown == selection.count:
                    return
        sys.stdout.flush()
        connection.check()
        if listener.is_behind or not connection.available:
            last_shown = time.monotonic()
        require_reader()
