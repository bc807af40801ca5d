"""Avro on the wire: `schemas/<namespace>/<topic>.avsc`, the schema of the envelope and its payload."""

import io
import json
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import fastavro

from functions.messages import fields as fields_of
from functions.messages.envelope import InvalidMessage, Message
from functions.messages.fields import NUL, Items, parse_ids, with_text_ids
from functions.messages.frozen import frozen
from functions.messages.ids import Id, are_canonical, parse
from functions.messages.payloads import PAYLOADS, Payload
from functions.messages.trace import Trace

SCHEMAS: Final = Path(__file__).parents[2] / "schemas"
MAX_BYTES: Final = 64 * 1024
"""Largest message in bytes: far more than any of ours has, and little enough that what it leads to fits too."""
MAX_TIME: Final = 253_402_300_799_999
"""The end of the year 9999, in ms since 1970-01-01 UTC: Python knows no later time, PostgreSQL does."""


@frozen
class Codec:
    """Encodes and decodes the messages of one topic, in one version of its schema.

    `topic` is "<namespace>/<topic>", `name` its last part, `version` the schema's. `definition` is the .avsc as it is
    in the file, `schema` the same parsed for fastavro, with ids as text. `payload_type` is the class of the payload;
    `fields`, `ids` and `text_fields` name all fields of the payload, those that hold ids, and those that hold text;
    `items` says what is in those that hold records.
    """

    topic: str
    name: str
    version: str
    definition: dict[str, Any]
    schema: Any
    payload_type: type[Payload]
    fields: tuple[str, ...]
    ids: tuple[str, ...]
    text_fields: tuple[str, ...]
    items: Mapping[str, Items]

    def encode(self, id_mensaje: Id, ingestion: int, service: str, payload: Payload) -> bytes:
        """The message's bytes, stamped with the time now. `ingestion`: when the request came in, in ms since 1970-01-01
        UTC; `service`: the sender. Raises ValueError if a value does not fit the schema.
        """
        data = {field: getattr(payload, field) for field in self.fields}
        for field, items in self.items.items():
            data[field] = items.encode(data[field])
        envelope = {
            "id": id_mensaje,
            "time": time.time_ns() // 1_000_000,
            "ingestion": ingestion,
            "specversion": self.version,
            "type": self.name,
            "datacontenttype": "application/avro",
            "service_name": service,
            "data": data,
        }
        output = io.BytesIO()
        fastavro.schemaless_writer(output, self.schema, envelope)
        return output.getvalue()

    def decode(self, raw: bytes, writer_schema: Any = None, trace: Trace | None = None) -> Message[Payload]:
        """The message in `raw`, which was written with the parsed schema `writer_schema` (None: with this one); `trace`
        is handed through. Raises InvalidMessage for anything that our own senders could not have written: too long,
        undecodable, of another type, with an impossible time or value, with bytes left over, with a NUL in a text.
        """
        if len(raw) > MAX_BYTES:
            raise InvalidMessage(f"not a {self.topic}: {len(raw)} bytes, at most {MAX_BYTES} are allowed")
        entry = io.BytesIO(raw)
        try:
            if writer_schema is None:
                envelope: Any = fastavro.schemaless_reader(entry, self.schema, None)
            else:
                envelope = fastavro.schemaless_reader(entry, writer_schema, self.schema)
            fields = envelope["data"]
            present_ids = [fields[field] for field in self.ids if fields[field] is not None]
            # all ids are looked at together first: half the time, and almost always all that is needed
            if not are_canonical(envelope["id"], *present_ids):
                envelope["id"] = parse(envelope["id"])
                fields |= {field: parse_ids(fields[field]) for field in self.ids}
            for field, items in self.items.items():
                if fields[field] is not None:
                    fields[field] = items.decode(fields[field])
            payload = self.payload_type(**fields)
        except Exception as error:  # whatever a decoder may raise on garbage
            raise InvalidMessage(f"not a {self.topic}: {type(error).__name__}: {error}") from error
        if entry.tell() != len(raw):
            raise InvalidMessage(f"not a {self.topic}: {len(raw) - entry.tell()} bytes too many")
        if envelope["type"] != self.name:
            raise InvalidMessage(f"type is {envelope['type']!r}, on {self.topic}")
        if not 0 <= envelope["time"] <= MAX_TIME:
            raise InvalidMessage(f"time is {envelope['time']}: it must be from 0 to {MAX_TIME}")
        for field in self.text_fields:
            text = fields[field]
            if text and "\0" in text:
                raise InvalidMessage(f"{field} {NUL}")
        return Message(envelope["id"], envelope["ingestion"], envelope["time"], payload, trace)


@cache
def codec(topic: str) -> Codec:
    """The codec of the topic "<namespace>/<topic>" with today's schema. Raises FileNotFoundError for an unknown
    topic.
    """
    return codec_for(topic, json.loads((SCHEMAS / f"{topic}.avsc").read_text("utf-8")))


def values(topic: str, field: str, within: str | None = None) -> tuple[str, ...]:
    """The values that a field of the payload, or of the records in its field `within`, may have, where the schema lists
    them (`x-values`).
    """
    definition = codec(topic).definition
    fields = payload(definition) if within is None else record(definition, within)
    return tuple(next(item["x-values"] for item in fields if item["name"] == field))


def next_values(topic: str, field: str) -> Mapping[str, tuple[str, ...]]:
    """What each value of a field of the payload may become, where its schema lists that (`x-next`)."""
    following = next(item["x-next"] for item in payload(codec(topic).definition) if item["name"] == field)
    return {value: tuple(others) for value, others in following.items()}


def codec_for(topic: str, definition: dict[str, Any]) -> Codec:
    """The codec of the topic with the schema `definition`, which may be of any version."""
    fields = {field["name"]: field["type"] for field in payload(definition)}
    items = {name: fields_of.items(cls, fields[name]) for name, cls in PAYLOADS[topic].items.items() if name in fields}
    return Codec(
        topic=topic,
        name=topic.partition("/")[2],
        version=str(definition["version"]),
        definition=definition,
        schema=parse_schema(definition),
        payload_type=PAYLOADS[topic],
        fields=tuple(fields),
        ids=fields_of.ids({name: avro_type for name, avro_type in fields.items() if name not in items}),
        text_fields=fields_of.text_fields(fields),
        items=items,
    )


def parse_schema(definition: Mapping[str, Any]) -> Any:
    """An .avsc parsed for fastavro: UUIDs are read and written as text."""
    return fastavro.parse_schema(with_text_ids(definition))


def payload(definition: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields of the payload, as the .avsc `definition` of the whole message has them."""
    fields: list[dict[str, Any]] = next(c["type"]["fields"] for c in definition["fields"] if c["name"] == "data")
    return fields


def record(definition: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The fields of the records in the payload's field `name`: an array of them, or null."""
    return fields_of.record_fields(next(field["type"] for field in payload(definition) if field["name"] == name))
