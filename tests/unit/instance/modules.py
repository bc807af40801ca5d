"""The scripts of the Python instance as modules, and fakes of what Pulsar's client gives it."""

import importlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event
from typing import Any

import pulsar

INSTANCE = Path(__file__).parents[3] / "deployment" / "local" / "instance"


def module(name: str) -> Any:
    """One of its scripts: they import each other by their bare names."""
    if str(INSTANCE) not in sys.path:
        sys.path.append(str(INSTANCE))
    return importlib.import_module(name)


def details(**fields: Any) -> Any:
    """FunctionDetails as the worker sends them: JSON."""
    parse = module("google.protobuf.json_format").Parse
    usual = {"tenant": "t", "namespace": "ns", "name": "f", "className": "f.F", "autoAck": True}
    return parse(json.dumps(usual | fields), module("instance_stubs").Function_pb2.FunctionDetails())


def config(**fields: Any) -> Any:
    """The identity of instance 0 with such details, whose package lies in /code."""
    of = module("instance_identity").InstanceConfig
    return of("0", "id", "version", details(**fields), 1024, "cluster", "/code/f.py")


@dataclass(frozen=True)
class MessageId:
    """Enough of a message's position."""

    def serialize(self) -> bytes:
        return b"position"


@dataclass(frozen=True)
class Message:
    """A payload without schema."""

    payload: bytes

    def data(self) -> bytes:
        return self.payload

    def topic_name(self) -> str:
        return "in"

    def message_id(self) -> MessageId:
        return MessageId()


@dataclass
class Consumer:
    """Has the messages that `waiting` holds; remembers what was acknowledged. `empty` once it was asked for more."""

    waiting: "SimpleQueue[Message]" = field(default_factory=SimpleQueue)
    empty: Event = field(default_factory=Event)
    acknowledged: list[Any] = field(default_factory=list)
    refused: list[Any] = field(default_factory=list)

    def receive(self, milliseconds: int) -> Message:
        try:
            return self.waiting.get_nowait()
        except Empty:
            self.empty.set()
        try:
            return self.waiting.get(timeout=milliseconds / 1000)
        except Empty:
            raise pulsar.Timeout from None

    def acknowledge(self, message: Any) -> None:
        self.acknowledged.append(message)

    def negative_acknowledge(self, message: Any) -> None:
        self.refused.append(message)


@dataclass
class Producer:
    """Confirms at once, with the given result."""

    result: Any
    sent: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)

    def send_async(self, payload: Any, confirmed: Callable[[Any, Any], None] | None, **options: Any) -> None:
        self.sent.append((payload, options))
        if confirmed:
            confirmed(self.result, None)


@dataclass
class Client:
    """Makes one producer for each topic."""

    result: Any
    producers: dict[str, Producer] = field(default_factory=dict)
    options: dict[str, dict[str, Any]] = field(default_factory=dict)

    def create_producer(self, topic: str, **options: Any) -> Producer:
        self.options[topic] = options
        return self.producers.setdefault(topic, Producer(self.result))
