"""The record of deployments, in memory, as the Pulsar client shows it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pulsar
from tools.deploy import history


class FakeRecord:
    """A Pulsar client with the topic of the record. One can have it open at a time, as with the broker.

    `on_open` is called when somebody opens it, before they have it.
    """

    def __init__(self) -> None:
        self.messages: list[tuple[bytes, dict[str, str]]] = []
        self.on_open: Callable[[], None] = lambda: None
        self.fails = False
        self._is_open = False

    def create_producer(self, *_: Any, **__: Any) -> "FakeRecord":
        self.on_open()
        if self._is_open:
            raise pulsar.ProducerBusy("somebody has it")
        self._is_open = True
        return self

    def send(self, data: bytes, properties: dict[str, str], **_: Any) -> None:
        if self.fails:
            raise pulsar.Timeout("no answer")
        self.messages.append((data, properties))

    def close(self) -> None:
        self._is_open = False

    def versions(self) -> list[Any]:
        """What is on record."""
        return history.read(self)

    def create_reader(self, *_: Any) -> "_Reader":
        return _Reader(list(self.messages))


class _Reader:
    def __init__(self, messages: list[tuple[bytes, dict[str, str]]]) -> None:
        self._messages = messages

    def has_message_available(self) -> bool:
        return bool(self._messages)

    def read_next(self, _: int) -> "_Message":
        return _Message(*self._messages.pop(0))

    def close(self) -> None:
        pass


@dataclass(frozen=True)
class _Message:
    raw: bytes
    fields: dict[str, str]

    def data(self) -> bytes:
        return self.raw

    def properties(self) -> dict[str, str]:
        return self.fields

    def message_id(self) -> int:
        return id(self.fields)
