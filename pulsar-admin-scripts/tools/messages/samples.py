"""Sample messages of any schema: each field has its `x-example`, or a sensible value; ids and times are new."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any, Final
from uuid import UUID, uuid4

from functions.messages.codec import codec, payload
from functions.messages.ids import Id

FIXED_MS: Final = 1_795_500_000_000
"""The time of samples that are the same each time, in ms since 1970-01-01 UTC: a moment in November 2026."""


def sample(topic: str, data: Mapping[str, Any] | None = None, rng: Random | None = None) -> dict[str, Any]:
    """A sample of the topic's schema: an envelope with its payload, as fastavro writes it.

    `data`: payload fields to take as they are; what the schema does not have is left out. `rng`: where ids come from,
    for those who want the same sample each time; the time is then fixed, too.
    """
    return from_schema(topic, codec(topic).definition, data, rng)


def from_schema(
    topic: str, definition: Mapping[str, Any], data: Mapping[str, Any] | None = None, rng: Random | None = None
) -> dict[str, Any]:
    """The same for any version of the topic's schema, which `definition` is, as its .avsc has it."""
    ms = FIXED_MS if rng else time.time_ns() // 1_000_000
    values = {field["name"]: _value(field, rng, ms) for field in payload(definition)}
    return {
        "id": _uuid(rng),
        "time": ms,
        "ingestion": ms,
        "specversion": definition["version"],
        "type": topic.partition("/")[2],
        "datacontenttype": "application/avro",
        "service_name": "tester",
        "data": values | {name: value for name, value in (data or {}).items() if name in values},
    }


def _value(field: Mapping[str, Any], rng: Random | None, ms: int) -> Any:
    """A value for a field; `ms`: the sample's time, in ms since 1970-01-01 UTC."""
    if "x-example" in field:
        return field["x-example"]
    avro_type = field["type"][1] if isinstance(field["type"], list) else field["type"]
    match avro_type:
        case {"logicalType": "uuid"}:
            return _uuid(rng)
        case {"type": "record"}:
            return {member["name"]: _value(member, rng, ms) for member in avro_type["fields"]}
        case {"type": "array"}:
            return [_value({"name": field["name"], "type": avro_type["items"]}, rng, ms)]
        case {"logicalType": "timestamp-millis"}:
            return datetime.fromtimestamp(ms / 1000, UTC)
    return {"string": field["name"], "boolean": False}.get(avro_type, 1)


def _uuid(rng: Random | None) -> Id:
    return Id(str(UUID(int=rng.getrandbits(128), version=4) if rng else uuid4()))
