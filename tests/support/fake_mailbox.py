"""Fakes of what the tool for dead letters sees of Pulsar: dead-letter topics, a schema registry, producers."""

import json
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import _pulsar
import pulsar

from functions.messages.codec import codec
from functions.messages.ids import new
from functions.messages.outgoing import to_outgoing
from functions.messages.payloads import ComandoCrearOrden
from tests.support.data import make_orden

PREFIX = "persistent://monoliticas/"
ORDENES = PREFIX + "ordenes/comando-crear-orden"
FUNCTION = "ordenes/crear-orden"
DLQ = PREFIX + "ordenes/crear-orden-dlq"


@dataclass(frozen=True)
class MessageId:
    """A message's id. `is_chunked`: it came in several."""

    ledger: int
    entry: int
    index: int = -1
    is_chunked: bool = False

    def ledger_id(self) -> int:
        return self.ledger

    def entry_id(self) -> int:
        return self.entry

    def batch_index(self) -> int:
        return self.index

    def __str__(self) -> str:
        return "(1,0,-1,-1);(1,2,-1,-1)" if self.is_chunked else "(1,2,-1,-1)"


@dataclass(frozen=True)
class Message:
    """A message in a dead-letter topic."""

    receipt: MessageId
    message_properties: dict[str, str] = field(default_factory=dict)
    body: bytes = b"basura"
    read_key: Callable[[], str] = lambda: "clave"

    def message_id(self) -> MessageId:
        return self.receipt

    def properties(self) -> dict[str, str]:
        return self.message_properties

    def data(self) -> bytes:
        return self.body

    def partition_key(self) -> str:
        return self.read_key()

    def publish_timestamp(self) -> int:
        return 1_800_000_000_000


def make_dead_letter(entry: int, orden: ComandoCrearOrden | None = None, **message_properties: str) -> Message:
    """A letter as crear-orden writes it; `dlq_reason="x"` changes a property."""
    own_properties = {
        "traza": "original",
        "dlq-function": "ordenes/crear-orden",
        "dlq-topic": ORDENES,
        "dlq-message-id": f"(9,{entry},-1,-1)",
        "dlq-schema-version": "0",
        "dlq-reason": "ValueError: no",
        "dlq-traceback": "Traceback (most recent call last):\n  …",
        "dlq-attempts": "3",
        "dlq-time": "1795507084551",
    } | {key.replace("_", "-"): value for key, value in message_properties.items()}
    return Message(MessageId(1, entry), own_properties, to_outgoing(new(), 1_234, "bff", orden or make_orden()).raw)


@dataclass
class Consumer:
    """Hands out `deliveries`; None among them is a moment in which nothing comes. `calls` gets what is acknowledged."""

    deliveries: list[Message | None]
    calls: list[str] = field(default_factory=list)
    last_id: MessageId | None = None
    closed: bool = False

    def receive(self, timeout_millis: int) -> Message:
        if not self.deliveries or (message := self.deliveries.pop(0)) is None:
            raise pulsar.Timeout("nothing comes")
        return message

    def get_last_message_id(self) -> MessageId:
        return self.last_id or next(m.receipt for m in reversed(self.deliveries) if m is not None)

    def acknowledge(self, receipt: MessageId) -> None:
        self.calls.append(f"ack {receipt.entry}")

    def is_connected(self) -> bool:
        return not self.closed

    def close(self) -> None:
        self.closed = True


@dataclass
class Producer:
    """`calls` gets the topics of what is sent; sends of a topic in `client.failing_topics` are not confirmed."""

    client: "FakePulsarClient"
    topic: str
    schema: Any

    def send_async(self, raw: bytes, callback: Callable[..., None] | None, **options: Any) -> None:
        if self.topic in self.client.failing_topics:
            if callback is not None:
                callback(pulsar.Result.Timeout, None)
            return
        self.client.sent.append((self.topic, raw, options))
        self.client.calls.append(f"send {self.topic.rpartition('/')[2]}")
        if callback is not None:
            callback(pulsar.Result.Ok, MessageId(1, len(self.client.sent)))

    def flush(self) -> None:
        pass


def interrupt(*_: object, **__: object) -> None:
    signal.raise_signal(signal.SIGINT)


class FakePulsarClient:
    """A cluster with one schema version of each topic in it; `calls` is all that happens to it, in order."""

    def __init__(self, deliveries: Sequence[Message | None] = (), failing_topics: Sequence[str] = ()) -> None:
        self.calls: list[str] = []
        self.sent: list[tuple[str, bytes, dict[str, Any]]] = []
        self.schemas: list[Any] = []
        self.failing_topics = failing_topics
        self.consumer = Consumer(list(deliveries), self.calls)
        self._client = self

    def subscribe(self, topic: str, subscription: str, **_: Any) -> Consumer:
        assert (topic, subscription) == (DLQ, "cuarentena")
        return self.consumer

    def create_producer(self, topic: str, schema: Any, **_: Any) -> Producer:
        self.schemas.append(schema.schema_info())
        return Producer(self, topic, schema)

    def get_topic_partitions(self, topic: str) -> list[str]:
        return [topic]

    def get_schema_info(self, topic: str, version: int) -> Any:
        if version != 0 or not topic.startswith(PREFIX):
            raise pulsar.TopicNotFound("no such version")
        definition = codec(topic.removeprefix(PREFIX)).definition
        return _pulsar.SchemaInfo(_pulsar.SchemaType.AVRO, "comando", json.dumps(definition))

    def close(self) -> None:
        self.calls.append("close")

    def shutdown(self) -> None:
        """The threads that it does not have end."""
