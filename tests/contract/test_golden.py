"""What was released stays readable: messages in the bytes of every released version of every schema."""

import io
from dataclasses import replace
from typing import Any

import fastavro
import pytest
from tools.cluster.schema_files import current, read, released, released_files, topics, version
from tools.messages.avro_json import from_json, to_json

from functions.messages.codec import Codec, codec, codec_for, parse_schema
from functions.messages.outgoing import Outgoing, pack, unpack

RELEASES = [(topic, number) for topic in topics() for number in released(topic)]


def released_samples(topic: str, number: int) -> list[tuple[bytes, dict[str, Any]]]:
    """Bytes and the message in them, as people wrote it down when the version was released."""
    samples = read(released_files(topic, number)[1])["samples"]
    return [(bytes.fromhex(sample["bytes"]), sample["message"]) for sample in samples]


def as_json(decoded: Any, reader: Codec) -> dict[str, Any]:
    values = {field: getattr(decoded.data, field) for field in reader.fields}
    for field, items in reader.items.items():
        if values[field] is not None:
            values[field] = [{name: getattr(record, name) for name in items.fields} for record in values[field]]
    return {field: to_json(value) for field, value in values.items()}


def test_every_version_of_every_schema_has_samples() -> None:
    assert {topic for topic, _ in RELEASES} == set(topics())
    assert all(len(released_samples(topic, number)) == 2 for topic, number in RELEASES)


@pytest.mark.parametrize(("topic", "number"), RELEASES)
def test_todays_functions_read_what_was_released(topic: str, number: int) -> None:
    writer_schema, reader = parse_schema(released(topic)[number]), codec(topic)
    for raw, message in released_samples(topic, number):
        decoded = reader.decode(raw, writer_schema)
        assert as_json(decoded, reader) == dict.fromkeys(reader.fields) | message["data"]
        assert (str(decoded.id), decoded.ingestion, decoded.time) == (
            message["id"],
            message["ingestion"],
            message["time"],
        )


@pytest.mark.parametrize(("topic", "number"), RELEASES)
def test_functions_with_a_released_version_read_what_todays_write(topic: str, number: int) -> None:
    reader = codec_for(topic, released(topic)[number])
    for raw, message in released_samples(topic, version(current(topic)) or 0):
        decoded = reader.decode(raw, codec(topic).schema)
        assert as_json(decoded, reader) == {field: message["data"][field] for field in reader.fields}


@pytest.mark.parametrize(("topic", "number"), RELEASES)
def test_outputs_kept_in_receipts_tell_their_version(topic: str, number: int) -> None:
    """Whatever version of a function put them there: they are published again as what they are."""
    stored = [Outgoing(topic, "clave", raw, version=str(number)) for raw, _ in released_samples(topic, number)]
    assert [replace(outgoing, deliver_at=None) for outgoing in unpack(pack(stored))] == stored


@pytest.mark.parametrize(("topic", "number"), RELEASES)
def test_a_released_version_is_written_in_the_same_bytes_as_ever(topic: str, number: int) -> None:
    definition = released(topic)[number]
    for raw, message in released_samples(topic, number):
        output = io.BytesIO()
        fastavro.schemaless_writer(output, parse_schema(definition), from_json(message, definition))
        assert output.getvalue() == raw
