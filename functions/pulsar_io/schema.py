"""The schemas that the Pulsar client is given, and messages as they are received."""

import json
from collections.abc import Mapping
from typing import Any

import _pulsar
import pulsar
from pulsar.schema import Schema

from functions.messages.codec import MAX_BYTES, Codec, codec, parse_schema
from functions.messages.envelope import InvalidMessage, Message
from functions.messages.frozen import frozen
from functions.messages.payloads import Payload
from functions.messages.trace import PROPERTY, Trace, parse
from functions.pulsar_io.properties import properties


@frozen
class Received:
    """A message as it came, not decoded yet. `raw` is the client's own object, `schema` the one of the consumer.
    `is_oversized`: it has more bytes than any message of ours, so that few of them are kept in memory.
    """

    raw: Any
    schema: "AvroSchema"
    is_oversized: bool

    @property
    def trace(self) -> Trace | None:
        """The trace that the message's property `traceparent` says."""
        return parse(properties(self.raw).get(PROPERTY))

    def message(self, with_trace: bool = True) -> Message[Payload]:
        """The message, decoded with the schema that it was written in. Raises InvalidMessage, or the client's errors if
        the registry is unavailable.
        """
        trace = self.trace if with_trace else None
        return self.schema.codec.decode(self.raw.data(), self.schema.writer_schema(self.raw), trace)


class AvroSchema(Schema):  # type: ignore[misc]  # the client library is untyped
    """A topic's schema for the Pulsar client: the broker checks it, but the bytes pass through as they are.

    Functions name it in their configuration: `schemaType: functions.pulsar_io.schema.AvroSchema` with
    `schemaProperties: {topic: ordenes/comando-crear-orden}`. The engine decodes, not the client: a message that the
    client can't decode never reaches the function, and is redelivered for ever.
    """

    def __init__(self, _cls: Any, properties: Mapping[str, str]) -> None:
        self.codec: Codec = codec(properties["topic"])
        self._writer_schemas: dict[int, Any] = {}
        super().__init__(None, _pulsar.SchemaType.AVRO, self.codec.definition, "AVRO")

    def encode(self, obj: bytes) -> bytes:
        """The bytes as they are: they are encoded already."""
        return obj

    def decode(self, data: bytes) -> bytes:
        """The bytes as they are: the engine decodes them."""
        return data

    def decode_message(self, msg: Any) -> Received:
        """The received message, not decoded, with this schema."""
        return Received(msg, self, len(msg.data()) > MAX_BYTES)

    def writer_schema(self, raw: Any) -> Any:
        """The parsed schema that a message was written in; None if it is this one. Asks the registry once for each
        version. Raises InvalidMessage if the version is not registered, and the client's errors if the registry is
        unavailable.
        """
        version = raw.int_schema_version()
        if version < 0:
            return None
        if version not in self._writer_schemas:
            topic = raw.topic_name()  # or that of a partition, which has the same schemas
            try:
                info = self._client.get_schema_info(topic, version)
            except pulsar.TopicNotFound as error:  # the broker answered: it is not unavailable
                raise InvalidMessage(f"schema version {version} of {topic} is not registered") from error
            if info.schema_type() != _pulsar.SchemaType.AVRO:
                raise InvalidMessage(f"schema version {version} of {topic} is no Avro schema")
            definition = json.loads(info.schema())
            is_same = definition == self.codec.definition
            self._writer_schemas[version] = None if is_same else parse_schema(definition)
        return self._writer_schemas[version]


class RegisteredSchema(Schema):  # type: ignore[misc]  # the client library is untyped
    """A schema version as the registry has it, for a producer of bytes that were encoded with that version earlier."""

    def __init__(self, info: Any) -> None:
        super().__init__(bytes, info.schema_type(), None, info.name())
        self._schema_info = info

    def encode(self, obj: bytes) -> bytes:
        """The bytes as they are: they are encoded already."""
        return obj
