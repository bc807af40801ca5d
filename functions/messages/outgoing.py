"""Messages ready to be sent, and receipts' outputs as bytes."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import fastavro

from functions.messages.codec import codec
from functions.messages.envelope import Message
from functions.messages.frozen import frozen
from functions.messages.ids import Id, derived
from functions.messages.payloads import PAYLOADS, Payload
from functions.messages.trace import Trace, properties


@frozen
class Outgoing:
    """A message ready to be sent: topic "<namespace>/<topic>", partition key, bytes, properties, and the version of
    the schema that the bytes are written in, "" on topics without a schema. `deliver_at`: when the broker is to deliver
    it; None: at once.
    """

    topic: str
    key: str
    raw: bytes
    properties: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    deliver_at: datetime | None = None


def to_outgoing(id_mensaje: Id, ingestion: int, service: str, payload: Payload, trace: Trace | None = None) -> Outgoing:
    """A payload encoded in its envelope. `ingestion` in ms since 1970-01-01 UTC; `service`: the sender."""
    topic_codec = codec(payload.topic)
    raw = topic_codec.encode(id_mensaje, ingestion, service, payload)
    key = str(getattr(payload, payload.key))
    deliver_at = getattr(payload, payload.deliver_at) if payload.deliver_at else None
    return Outgoing(payload.topic, key, raw, properties(trace, id_mensaje), topic_codec.version, deliver_at)


def derive(cause: Message[Payload], service: str, outputs: Sequence[Payload]) -> list[Outgoing]:
    """The messages with the payloads `outputs` that `cause` leads to. The same cause always gives the same ids."""
    return [
        to_outgoing(_id(cause, payload, index), cause.ingestion, service, payload, cause.trace)
        for index, payload in enumerate(outputs)
    ]


def _id(cause: Message[Payload], payload: Payload, index: int) -> Id:
    if payload.unique_by:
        source, *times = (getattr(payload, field) for field in payload.unique_by)
        return derived(
            source, "/".join([payload.topic, *(str(time.timestamp()) for time in times if time is not None)])
        )
    return derived(cause.id, f"{payload.topic}/{index}")


_HEADER: Final = fastavro.parse_schema(
    {
        "type": "record",
        "name": "Header",
        "fields": [
            {"name": "id", "type": "string"},
            {"name": "time", "type": "long"},
            {"name": "ingestion", "type": "long"},
            {"name": "specversion", "type": "string"},
        ],
    }
)
"""The fields with which every version of every envelope begins."""
_OUTPUTS: Final = fastavro.parse_schema(
    {
        "type": "array",
        "items": {
            "type": "record",
            "name": "Outgoing",
            "fields": [
                {"name": "topic", "type": "string"},
                {"name": "key", "type": "string"},
                {"name": "raw", "type": "bytes"},
            ],
        },
    }
)


def pack(outgoing_messages: Sequence[Outgoing]) -> bytes:
    """The outputs of one receipt as bytes, for the outbox: the same that fastavro writes with _OUTPUTS, in a sixth of
    the time (0.5 µs, not 3.0).
    """
    parts = [_avro_long(len(outgoing_messages))] if outgoing_messages else []
    for p in outgoing_messages:
        for part in (p.topic.encode(), p.key.encode(), p.raw):
            parts += (_avro_long(len(part)), part)
    return b"".join([*parts, _avro_long(0)])


@lru_cache(4096)
def _avro_long(count: int) -> bytes:
    """A count as Avro writes a long: zigzag, seven bits in a byte, the lowest first."""
    rest, raw = 2 * count, bytearray()
    while rest > 127:
        raw.append(rest & 127 | 128)
        rest >>= 7
    return bytes([*raw, rest])


def unpack(outputs: bytes, trace: Trace | None = None) -> list[Outgoing]:
    """The inverse of `pack`, with the properties of the trace that the messages are published in now. Their bytes may
    be of another version of the schema than today's, as each message's `specversion` says.
    """
    rows: Any = fastavro.schemaless_reader(io.BytesIO(outputs), _OUTPUTS, None)
    return [_stored(row, trace) for row in rows]


def _stored(row: dict[str, Any], trace: Trace | None) -> Outgoing:
    header: Any = fastavro.schemaless_reader(io.BytesIO(row["raw"]), _HEADER, None)
    version = header["specversion"]
    return Outgoing(**row, properties=properties(trace, header["id"]), version=version, deliver_at=_due(row, version))


def _due(row: dict[str, Any], version: str) -> datetime | None:
    """When a stored message is to be delivered: None, which is at once, also if it is of another version than today's.
    Whoever receives it decides by its own clock what is due.
    """
    payload_type = PAYLOADS.get(row["topic"])
    if payload_type is None or payload_type.deliver_at is None or version != codec(row["topic"]).version:
        return None
    due: datetime | None = getattr(codec(row["topic"]).decode(row["raw"]).data, payload_type.deliver_at)
    return due
