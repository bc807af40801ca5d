"""What the code that talks to Pulsar makes of schemas: whose version a message is, and a broker that refuses ours."""

import json
from typing import Any

import _pulsar
import pulsar
import pytest
from tools.cluster.schema_files import read, released, released_files

from functions.engine.retry import is_transient
from functions.messages.envelope import InvalidMessage
from functions.messages.outgoing import Outgoing, to_outgoing
from functions.pulsar_io.errors import BacklogFull, SchemaRefused
from functions.pulsar_io.publisher import Publisher
from functions.pulsar_io.schema import AvroSchema, Received
from tests.support.data import make_orden
from tests.support.fake_pulsar import PREFIX, FakeClient, FakeMessage, FakeProducer

TOPIC = "ordenes/comando-crear-orden"


class Registry:
    """A registry of the released versions, whose broker may be away."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.missing = False

    def get_schema_info(self, topic: str, version: int) -> Any:
        if self.missing:
            raise pulsar.ConnectError("away")
        self.asked.append(version)
        if version + 1 not in released(TOPIC):
            raise pulsar.TopicNotFound(f"{topic} {version}")
        return _pulsar.SchemaInfo(_pulsar.SchemaType.AVRO, "AVRO", json.dumps(released(TOPIC)[version + 1]))


class ClientWithRegistry(FakeClient):
    """Notes which schema version each producer has; `_client` is the client library's inner object."""

    def __init__(self, registry: Registry) -> None:
        super().__init__()
        self._client = registry
        self.versions: list[str] = []

    def create_producer(self, topic: str, **options: Any) -> FakeProducer:
        self.versions.append(json.loads(options["schema"].schema_info().schema())["version"])
        return super().create_producer(topic, **options)


class RefusingClient(FakeClient):
    def __init__(self, refusal: type[Exception]) -> None:
        super().__init__()
        self.refusal: type[Exception] | None = refusal

    def create_producer(self, topic: str, **options: Any) -> FakeProducer:
        if self.refusal is not None:
            raise self.refusal("Pulsar error")
        return super().create_producer(topic, **options)


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
def schema(registry: Registry) -> AvroSchema:
    schema = AvroSchema(None, {"topic": TOPIC})
    schema.attach_client(registry)
    return schema


def received(schema: AvroSchema, version: int) -> Received:
    """A released sample, in the broker's count of versions."""
    sample = read(released_files(TOPIC, version + 1)[1])["samples"][0]
    return schema.decode_message(FakeMessage(TOPIC, bytes.fromhex(sample["bytes"]), version=version))


def test_the_registry_is_asked_once_for_each_version(schema: AvroSchema, registry: Registry) -> None:
    instrucciones = [received(schema, version).message().data.instrucciones_entrega for version in (0, 1) * 3]  # type: ignore[attr-defined]
    assert instrucciones == [None, "Tocar el timbre dos veces"] * 3
    assert registry.asked == [0, 1]


def test_known_versions_are_read_while_the_broker_is_away_and_others_wait(
    schema: AvroSchema, registry: Registry
) -> None:
    received(schema, 0).message()
    registry.missing = True
    assert received(schema, 0).message()
    with pytest.raises(pulsar.ConnectError):  # the engine tries again; InvalidMessage would quarantine
        received(schema, 1).message()
    registry.missing = False
    assert received(schema, 1).message()


def test_a_version_that_the_broker_does_not_have_is_an_invalid_message(schema: AvroSchema) -> None:
    message = schema.decode_message(FakeMessage(TOPIC, b"", version=7))
    with pytest.raises(InvalidMessage, match=f"schema version 7 of {PREFIX}{TOPIC} is not registered"):
        message.message()


@pytest.mark.parametrize(
    ("refusal", "error", "expected"),
    [
        (
            pulsar.IncompatibleSchema,
            SchemaRefused,
            rf"version \d+ of the schema of {TOPIC}.*provision\.py registers it",
        ),
        (pulsar.ProducerBlockedQuotaExceededException, BacklogFull, f"{TOPIC} has reached its backlog quota"),
        (pulsar.ProducerBlockedQuotaExceededError, BacklogFull, f"{TOPIC} has reached its backlog quota"),
    ],
)
def test_what_is_refused_says_which_and_why_and_goes_through_once_it_is_taken(
    refusal: type[Exception], error: type[Exception], expected: str
) -> None:
    client = RefusingClient(refusal)
    publisher = Publisher(client)
    orden = make_orden()
    message = to_outgoing(orden.id_orden, 0, "pruebas", orden)
    with pytest.raises(error, match=expected) as raised:
        publisher.publish([message])
    assert is_transient(raised.value)
    client.refusal = None
    publisher.publish([message])
    assert [topic for topic, _, _ in client.published] == [TOPIC]


def test_what_an_earlier_version_put_into_a_receipt_goes_out_in_its_own_schema(registry: Registry) -> None:
    """Under today's schema nobody could read it."""
    client = ClientWithRegistry(registry)
    publisher = Publisher(client)
    for number in (1, 2, 1):
        sample = read(released_files(TOPIC, number)[1])["samples"][0]
        publisher.publish([Outgoing(TOPIC, "clave", bytes.fromhex(sample["bytes"]), version=str(number))])
    assert client.versions == ["1", "2"]
    assert len(client.published) == 3


def test_a_version_that_no_registry_has_is_refused_and_not_sent_as_another(registry: Registry) -> None:
    client = ClientWithRegistry(registry)
    with pytest.raises(SchemaRefused, match="refuses version 9"):
        Publisher(client).publish([Outgoing(TOPIC, "clave", b"", version="9")])
    assert client.published == []
