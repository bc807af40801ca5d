"""The events of orders wake whoever follows them; without them it is said that nobody tells."""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any

import pulsar
import pytest

from bff.following import announcements
from bff.following.announcements import Announcements
from functions.messages.envelope import InvalidMessage
from functions.messages.ids import Id, new
from tests.support.platform import wait_for


class Message:
    """An event as the reader gets it."""

    def __init__(self, key: Id, estado: str | None) -> None:
        self._key, self._estado = key, estado

    def partition_key(self) -> str:
        return self._key

    def value(self) -> "Message":
        return self

    def message(self, with_trace: bool) -> Any:
        if self._estado is None:
            raise InvalidMessage("garbage")
        return type("Decoded", (), {"data": type("Event", (), {"estado": self._estado})})


class Topic:
    """A client and its reader, in memory. `refusals`: so often the reader can't be opened."""

    def __init__(self, refusals: int = 0) -> None:
        self.messages: SimpleQueue[Message | Exception] = SimpleQueue()
        self.refusals = refusals
        self.is_up = True
        self.closed = 0

    def create_reader(self, topic: str, start: Any, schema: Any) -> "Topic":
        assert (topic, start) == ("persistent://monoliticas/ordenes/evento-orden", pulsar.MessageId.latest)
        if self.refusals:
            self.refusals -= 1
            raise pulsar.ConnectError("no broker")
        return self

    def read_next(self, timeout_ms: int) -> Message:
        try:
            message = self.messages.get(timeout=0.01)
        except Empty:
            raise pulsar.Timeout("none") from None
        if isinstance(message, Exception):
            raise message
        return message

    def is_connected(self) -> bool:
        return self.is_up

    def close(self) -> None:
        self.closed += 1


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announcements, "PAUSE", 0.01)


@contextmanager
def told_of(topic: Topic, *wanted: Id) -> Iterator[tuple[Announcements, "SimpleQueue[tuple[Id, bool]]"]]:
    told: SimpleQueue[tuple[Id, bool]] = SimpleQueue()
    reading = Announcements(topic)
    reading.start(lambda key: key in wanted, lambda key, ended: told.put((key, ended)))
    try:
        yield reading, told
    finally:
        reading.close()


@pytest.mark.parametrize(("estado", "ended"), [("creada", False), ("iniciada", True), ("fallida", True), (None, True)])
def test_who_is_followed_is_told_of_and_others_are_not(estado: str | None, ended: bool) -> None:
    key, topic = new(), Topic()
    with told_of(topic, key) as (_, told):
        topic.messages.put(Message(new(), "iniciada"))
        topic.messages.put(Message(key, estado))
        assert told.get(timeout=60) == (key, ended)
        assert told.empty()
    assert topic.closed == 1


def test_it_says_whether_it_is_connected() -> None:
    topic = Topic(refusals=3)
    with told_of(topic) as (reading, _):
        wait_for("the connection", lambda: reading.is_connected)
        topic.is_up = False
        wait_for("its loss", lambda: not reading.is_connected)
        topic.is_up = True
        wait_for("the connection", lambda: reading.is_connected)
    assert not reading.is_connected


def test_a_reader_that_fails_is_opened_again(caplog: pytest.LogCaptureFixture) -> None:
    key, topic = new(), Topic()
    with told_of(topic, key) as (_, told):
        for failure in (pulsar.AlreadyClosed("the broker is gone"), ZeroDivisionError("a bug")):
            topic.messages.put(failure)
            topic.messages.put(Message(key, "iniciada"))
            assert told.get(timeout=60) == (key, True)
    assert caplog.text.count("orders are read again and again") == 2
