"""Messages as CloudEvents and back: nothing is lost, and the official SDK agrees."""

import io
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import fastavro
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st
from tools.cluster.schema_files import released, topics
from tools.messages.avro_json import from_json
from tools.messages.cloudevents_json import from_cloudevent, to_cloudevent
from tools.messages.samples import from_schema, sample

from functions.messages.codec import codec, parse_schema, payload
from functions.messages.payloads import PAYLOADS

TOPIC = "ordenes/comando-crear-orden"
TEXT = st.text(st.characters(codec="utf-8"))
EXPRESSIBLE = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cn"]))
"""What an attribute of CloudEvents may hold, and Avro."""
TIMES = st.datetimes(timezones=st.just(UTC)).map(
    lambda timestamp: timestamp.replace(microsecond=timestamp.microsecond // 1000 * 1000)
)
MS = TIMES.map(lambda timestamp: round(timestamp.timestamp() * 1000))


def write(definition: Any, envelope: Any) -> bytes:
    output = io.BytesIO()
    fastavro.schemaless_writer(output, parse_schema(definition), envelope)
    return output.getvalue()


def values(avro_type: Any) -> st.SearchStrategy[Any]:
    if isinstance(avro_type, list):
        return st.none() | values(avro_type[1])
    if isinstance(avro_type, dict) and avro_type["type"] == "record":
        return st.fixed_dictionaries({field["name"]: values(field["type"]) for field in avro_type["fields"]})
    if isinstance(avro_type, dict) and avro_type["type"] == "array":
        return st.lists(values(avro_type["items"]), max_size=3)
    if isinstance(avro_type, dict) and avro_type["type"] == "record":
        return st.fixed_dictionaries({field["name"]: values(field["type"]) for field in avro_type["fields"]})
    match avro_type.get("logicalType") if isinstance(avro_type, dict) else avro_type:
        case "uuid":
            return st.uuids().map(str)
        case "timestamp-millis":
            return TIMES
        case "string":
            return TEXT
        case "boolean":
            return st.booleans()
    return st.integers(-(2**31), 2**31 - 1)


@st.composite
def messages(draw: st.DrawFn) -> tuple[str, Any, Any]:
    """A topic, a version of its schema, and an envelope of it."""
    topic = draw(st.sampled_from(topics()))
    definition = draw(st.sampled_from([codec(topic).definition, *released(topic).values()]))
    data = {field["name"]: draw(values(field["type"])) for field in payload(definition)}
    if (key := PAYLOADS[topic].key) in ("funcion", "operador"):  # the keys that are no ids
        data[key] = draw(EXPRESSIBLE)
    strategies = {
        "time": MS,
        "ingestion": MS,
        "specversion": EXPRESSIBLE,
        "service_name": TEXT,
        "datacontenttype": EXPRESSIBLE,
    }
    envelope = {name: draw(strategy) for name, strategy in strategies.items()} | {"id": str(draw(st.uuids()))}
    return topic, definition, from_schema(topic, definition) | envelope | {"data": data}


@given(messages())
def test_every_message_survives_the_official_sdk_byte_for_byte(message: tuple[str, Any, Any]) -> None:
    topic, definition, envelope = message
    raw = write(definition, envelope)
    decoded = fastavro.schemaless_reader(io.BytesIO(raw), parse_schema(definition), None)
    event = JSONFormat().read(CloudEvent, json.dumps(to_cloudevent(topic, decoded)))  # type: ignore[arg-type]
    returned = json.loads(JSONFormat().write(event))
    assert returned["topic"] == topic
    assert write(definition, from_json(from_cloudevent(returned, topic), definition)) == raw


def test_the_attributes_are_where_the_readme_says() -> None:
    envelope = sample(TOPIC) | {"id": str(UUID(int=1)), "time": 1, "ingestion": 0, "service_name": "bff"}
    event = JSONFormat().read(CloudEvent, json.dumps(to_cloudevent(TOPIC, envelope)))
    assert event.get_data() == json.loads(json.dumps(to_cloudevent(TOPIC, envelope)))["data"]
    assert event.get_attributes() == {
        "specversion": "1.0",
        "id": str(UUID(int=1)),
        "source": "/monoliticas/bff",
        "type": "comando-crear-orden",
        "subject": str(envelope["data"]["id_orden"]),
        "time": datetime(1970, 1, 1, 0, 0, 0, 1000, UTC),
        "datacontenttype": "application/json",
        "topic": TOPIC,
        "schemaversion": codec(TOPIC).definition["version"],
        "ingestion": "1970-01-01T00:00:00.000Z",
        "wirecontenttype": "application/avro",
    }


def test_an_event_that_somebody_else_made_needs_only_what_cloudevents_require() -> None:
    strategy = CloudEvent({"source": "/monoliticas/tester", "type": "comando-eliminar-producto"}, {"id_producto": "x"})
    envelope = from_cloudevent(json.loads(JSONFormat().write(strategy)), "productos/comando-eliminar-producto")
    timestamp = strategy.get_time()
    assert timestamp is not None
    assert envelope.pop("time") == int(timestamp.timestamp()) * 1000 + timestamp.microsecond // 1000
    assert envelope == {
        "id": strategy.get_id(),
        "type": "comando-eliminar-producto",
        "service_name": "tester",
        "data": {"id_producto": "x"},
    }


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"time": 10**15}, "can't carry time 1000000000000000, in ms since 1970: years 1 to 9999 only"),
        ({"ingestion": -(2**63)}, "can't carry ingestion -9223372036854775808"),
        ({"type": ""}, "can't carry type ''"),
        ({"specversion": "a\nb"}, r"can't carry schemaversion 'a\\nb'"),
        ({"datacontenttype": "\ufffe"}, "can't carry wirecontenttype"),
    ],
)
def test_what_cloudevents_can_not_carry_is_said(change: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        to_cloudevent(TOPIC, sample(TOPIC) | change)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"id": None}, "id is missing"),
        ({"specversion": "0.3"}, "specversion is '0.3': it must be 1.0"),
        ({"source": "https://example.com"}, "it must be /monoliticas/<service_name>"),
        ({"source": "/monoliticas/%ff"}, "can't decode byte"),
        ({"time": "2026-01-01T00:00:00"}, "it must name its time zone"),
        ({"ingestion": "ayer"}, "ingestion is 'ayer'"),
        ({"schemaversion": 1}, "schemaversion is 1: it must be a string"),
        ({"subject": "otra"}, "subject is 'otra': it must be "),
        ({"topic": "ordenes/evento-orden"}, "topic is 'ordenes/evento-orden': it must be ordenes/comando-crear-orden"),
        ({"datacontenttype": "text/xml"}, "it must be application/json"),
        ({"data_base64": "AAAA"}, "our messages have no place for it"),
        ({"traceparent": "00-1"}, "our messages have no place for it"),
    ],
)
def test_what_our_messages_can_not_carry_is_said(change: dict[str, Any], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        from_cloudevent(to_cloudevent(TOPIC, sample(TOPIC)) | change, TOPIC)


def test_media_types_are_compared_as_media_types() -> None:
    event = to_cloudevent(TOPIC, sample(TOPIC))
    assert from_cloudevent(event | {"datacontenttype": "Application/JSON; charset=utf-8"}, TOPIC) == from_cloudevent(
        event, TOPIC
    )
