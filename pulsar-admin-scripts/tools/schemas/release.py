"""Puts a version of a schema on record, with samples in its bytes that today's functions must read for ever."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID

import fastavro

from functions.messages.codec import parse_schema, payload
from functions.messages.ids import Id
from tools.cluster import schema_files
from tools.messages.avro_json import to_json
from tools.messages.samples import from_schema

SAGA_FIELDS: Final = ("id_orden", "id_producto", "id_conductor", "id_driver", "transaction_id")
"""The ids that the samples of all topics share, so that functions can process the samples one after another."""
UNUSUAL_VALUES: Final[dict[Any, Any]] = {"int": 2**31 - 1, "string": "ñ 🚚 \\ \" ' {} \n", "boolean": True}
"""By Avro type: what code that is not careful gets wrong."""


def record(topic: str) -> list[Path]:
    """Puts today's version of a topic's schema on record, and returns the files written: none if it is on record."""
    definition = schema_files.current(topic)
    number = schema_files.version(definition)
    if number is None or number in schema_files.released(topic):
        return []
    schema, samples = schema_files.released_files(topic, number)
    schema.parent.mkdir(parents=True, exist_ok=True)
    schema.write_bytes(schema_files.file(topic).read_bytes())
    content = {"sha256": schema_files.sha256(schema), "samples": list(_samples(topic, definition))}
    samples.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return [schema, samples]


def _samples(topic: str, definition: Any) -> Iterator[dict[str, Any]]:
    """A usual message, and one with unusual values and nulls, each as JSON and as bytes in hexadecimal."""
    for index in (1, 2):
        rng = Random(f"{topic}/{index}")  # the same ids each time, other ones for each topic
        fixed: dict[str, Any] = {name: _id(name, index) for name in SAGA_FIELDS}
        fixed["otras"] = [fixed["id_orden"]]
        message = from_schema(topic, definition, fixed, rng)
        if index == 2:
            message["data"] |= _unusual(definition)
        output = io.BytesIO()
        fastavro.schemaless_writer(output, parse_schema(definition), message)
        yield {"message": to_json(message), "bytes": output.getvalue().hex()}


def _unusual(definition: Any) -> dict[str, Any]:
    """Null or UNUSUAL_VALUES for the payload's fields, except for those in which only some values are valid."""
    free = {field["name"]: field["type"] for field in payload(definition) if "x-values" not in field}
    nulls = {name: None for name, avro_type in free.items() if isinstance(avro_type, list)}
    return nulls | {name: UNUSUAL_VALUES[avro_type] for name, avro_type in free.items() if isinstance(avro_type, str)}


def _id(name: str, index: int) -> Id:
    """An id of its own for each name and index; id_driver is another name of id_conductor."""
    name = "id_conductor" if name == "id_driver" else name
    return Id(str(UUID(int=Random(f"{name}/{index}").getrandbits(128), version=4)))
