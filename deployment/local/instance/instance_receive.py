"""Consumers → their messages, for the one thread that processes them."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Full, Queue
from typing import Any

import pulsar

LOOK = 200  # ms; after so long without a message a thread looks whether it is to stop
TOGETHER = 100  # messages that one thread hands to another at once, at most


@dataclass(frozen=True, slots=True)
class Input:
    """A consumer, by its topic as the configuration writes it, and how its messages are decoded."""

    topic: str
    consumer: Any
    decode: Callable[[Any], Any]


@dataclass(slots=True)  # one for each message: frozen, it would take twice as long to make
class Item:
    """A message, and where it came from."""

    message: Any
    source: Input


class Receiver:
    """`messages` until `stop`. What was received by then and not yet processed, the broker gets back.

    The only input is received from on the thread that processes, without listener: to wake a thread for each
    message costs six times as much as to receive it. Several inputs have a thread each, which hands over what
    has come.
    """

    def __init__(self, inputs: Sequence[Input]) -> None:
        self._inputs = inputs
        self._stopped = False
        self._handed_over: Queue[list[Item] | BaseException | None] = Queue(1)

    def messages(self) -> Iterator[Item]:
        for items in self._directly() if len(self._inputs) == 1 else self._of_all():
            for item in items:
                if self._stopped:
                    return
                yield item

    def stop(self) -> None:
        self._stopped = True
        with suppress(Full):  # then nobody waits for anything
            self._handed_over.put_nowait(None)

    def _directly(self) -> Iterator[list[Item]]:
        while not self._stopped:
            yield _received(self._inputs[0], LOOK)

    def _of_all(self) -> Iterator[list[Item]]:
        for source in self._inputs:
            threading.Thread(target=self._hand_over, args=(source,), name=source.topic, daemon=True).start()
        while (items := self._handed_over.get()) is not None:
            if isinstance(items, BaseException):
                raise items
            yield items

    def _hand_over(self, source: Input) -> None:
        try:
            while not self._stopped:
                items = _received(source, LOOK)
                while items and len(items) < TOGETHER and (more := _received(source, 0)):
                    items += more
                if items:
                    self._handed_over.put(items)
        except BaseException as error:  # whoever processes must not wait for ever
            if not self._stopped:
                self._handed_over.put(error)


def _received(source: Input, milliseconds: int) -> list[Item]:
    """The next message, or none if there is none in so long."""
    try:
        return [Item(source.consumer.receive(milliseconds), source)]
    except pulsar.Timeout:
        return []
