"""Fakes of the Pulsar client and of a function's context: what the engine sees of Pulsar, kept in memory."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pulsar

from functions.messages.codec import codec
from functions.messages.envelope import Message
from functions.messages.ids import Id, new
from functions.messages.outgoing import to_outgoing
from functions.messages.payloads import Payload
from functions.pulsar_io.schema import AvroSchema, Received

PREFIX = "persistent://monoliticas/"


@dataclass
class FakeMessage:
    """A received message, as the client library shows it."""

    topic: str
    raw: bytes
    message_properties: dict[str, str] = field(default_factory=dict)
    id: object = field(default_factory=object)
    version: int = -1

    def data(self) -> bytes:
        return self.raw

    def topic_name(self) -> str:
        return PREFIX + self.topic

    def message_id(self) -> object:
        return self.id

    def properties(self) -> dict[str, str]:
        return self.message_properties

    def partition_key(self) -> str:
        return "clave"

    def int_schema_version(self) -> int:
        return self.version


@dataclass
class FakeClient:
    """Keeps what is published. `before_send` is called before each message is stored; what it raises is a failure.
    `delayed`: when the last message of each topic is to be delivered that is not to be at once, in ms since 1970-01-01
    UTC. `flushes`: how often a producer was told to wait for no more messages.
    """

    published: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    before_send: Callable[[], None] = lambda: None
    delayed: dict[str, int] = field(default_factory=dict)
    flushes: int = 0

    def create_producer(self, topic: str, **_: Any) -> "FakeProducer":
        return FakeProducer(self, topic.removeprefix(PREFIX))

    def get_topic_partitions(self, topic: str) -> list[str]:
        return [topic]

    def save(self, topic: str, raw: bytes, message_properties: dict[str, str], deliver_at: int | None = None) -> None:
        self.published.append((topic, raw, message_properties))
        if deliver_at is not None:
            self.delayed[topic] = deliver_at

    def acknowledge(self, function: str, id_mensaje: object) -> None:
        """A function has acknowledged a message."""

    def messages(self, topic: str) -> list[Message[Payload]]:
        return [codec(topic).decode(raw) for t, raw, _ in self.published if t == topic]


@dataclass
class FakeProducer:
    """Stores a message at once. `result` is what those without a callback came to, until the next callback."""

    client: FakeClient
    topic: str
    result: Any = pulsar.Result.Ok

    def send_async(
        self,
        raw: bytes,
        callback: Callable[..., None] | None,
        partition_key: str,
        properties: dict[str, str],
        deliver_at: int | None,
    ) -> None:
        try:
            self.client.before_send()
        except pulsar.Timeout:
            self.result = pulsar.Result.Timeout
        else:
            self.client.save(self.topic, raw, properties, deliver_at)
        if callback is not None:
            result, self.result = self.result, pulsar.Result.Ok
            callback(result, None)

    def flush(self) -> None:
        self.client.flushes += 1


@dataclass
class FakeContext:
    """The context of a function. `acks`: the ids of acknowledged messages, in order; `metrics`: the sums of metrics."""

    namespace: str
    function: str
    config: dict[str, Any]
    password: str
    client: FakeClient = field(default_factory=FakeClient)
    acks: list[object] = field(default_factory=list)
    metrics: Counter[str] = field(default_factory=Counter)

    def record_metric(self, name: str, value: float) -> None:
        self.metrics[name] += value  # type: ignore[assignment]  # a counter of anything

    def get_function_name(self) -> str:
        return self.function

    def get_function_namespace(self) -> str:
        return self.namespace

    def get_user_config_map(self) -> dict[str, Any]:
        return self.config

    def get_secret(self, name: str) -> str | None:
        return self.password if name == f"DB_PASSWORD_{self.config['DB_NAME']}".upper() else None

    def get_pulsar_client(self) -> FakeClient:
        return self.client

    def ack(self, message: FakeMessage, topic: str) -> None:
        assert topic == message.topic_name()
        self.acks.append(message.message_id())
        self.client.acknowledge(self.function, message.message_id())


def received(data: Payload, id_mensaje: Id | None = None) -> Received:
    """A payload as it reaches `process`."""
    envelope = to_outgoing(id_mensaje or new(), 1_000, "pruebas", data)
    return raw(data.topic, envelope.raw)


def raw(topic: str, content: bytes, **message_properties: str) -> Received:
    """Any bytes as they reach `process`."""
    return _schema(topic).decode_message(FakeMessage(topic, content, message_properties))


@cache
def _schema(topic: str) -> AvroSchema:
    schema = AvroSchema(None, {"topic": topic})
    schema.attach_client(EmptyRegistry())
    return schema


class EmptyRegistry:
    """The client's access to a schema registry that holds nothing."""

    def get_schema_info(self, topic: str, version: int) -> None:
        raise pulsar.TopicNotFound(f"{topic} {version}")
