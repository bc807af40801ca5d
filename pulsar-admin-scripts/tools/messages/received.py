"""A message that was read from a topic, decoded, with all that is known about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from functions.messages.topics import full_name, short_name
from functions.pulsar_io.properties import text
from tools.messages.dead_letter import original_topic, schema_version
from tools.messages.writer_schemas import Decoded, SchemaRegistry
from tools.terminal import timestamp


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message as it was read from a topic.

    `topic`: short name of the topic that it was read from. `source`: likewise, but for a dead letter the topic that
    its message was on; empty if it does not say. `publish_time`: by the sender's clock. `id`: as Pulsar's client writes
    it, (ledger,entry,partition,batch index). `version`: the broker's number of the schema that it was written in; None
    if it has none. `body`: the bytes that `decoded` was decoded from.
    """

    topic: str
    source: str
    key: str
    publish_time: str
    id: str
    version: int | None
    properties: Mapping[str, str]
    body: bytes
    decoded: Decoded


def read_message(schemas: SchemaRegistry, topic: str, message: Any, is_dead_letter: bool) -> ReceivedMessage:
    """Decodes a message of the Pulsar client's. A dead letter is decoded as the message that it holds.

    `topic`: short name of the topic that it was read from; `is_dead_letter`: that is a dead-letter topic. Never raises
    for what is in a message, only the client's errors if the registry can't be asked for the schema that it was written
    in.
    """
    raw = message._message
    properties: Mapping[str, str] = text(raw.properties, {})
    if is_dead_letter:
        source, version = original_topic(properties), schema_version(properties)
    else:
        source, version = full_name(topic), raw.int_schema_version()
    return ReceivedMessage(
        topic=topic,
        source=short_name(source or ""),
        key=text(raw.partition_key, ""),
        publish_time=_timestamp(raw.publish_timestamp()),
        id=str(raw.message_id()),
        version=version if version is not None and version >= 0 else None,
        properties=properties,
        body=raw.data(),
        decoded=schemas.read(source, version, raw.data()),
    )


def _timestamp(ms: int) -> str:
    """A sender's clock may say anything, even what is no date: that is shown as a number."""
    try:
        return timestamp(datetime.fromtimestamp(ms / 1000, UTC))
    except (OverflowError, OSError, ValueError):
        return f"{ms} ms since 1970"
