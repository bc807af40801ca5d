"""Decodes messages with the schema version that they were written in, which the cluster's registry knows."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import _pulsar
import fastavro
import pulsar

from functions.messages.codec import codec, parse_schema
from functions.messages.payloads import PAYLOADS
from functions.messages.topics import short_name


@dataclass(frozen=True, slots=True)
class Decoded:
    """A message that was decoded, or why it can't be.

    `envelope`: as fastavro read it, with the payload in `data`; empty if it can't be decoded. `schema`: what it was
    decoded with, for people. `problem`: why it can't be decoded, or what is odd about it; empty if nothing is.
    """

    envelope: Mapping[str, Any] = field(default_factory=dict)
    schema: str = ""
    problem: str = ""

    @property
    def data(self) -> Mapping[str, Any]:
        """The payload; empty if the message can't be decoded."""
        data = self.envelope.get("data")
        return data if isinstance(data, dict) else {}


class SchemaRegistry:
    """Decodes messages with the schemas of the cluster's registry; asks once for each version of a topic's schema."""

    def __init__(self, client: pulsar.Client) -> None:
        self._client = client
        self._schema_infos: dict[tuple[str, int], Any] = {}
        self._avro: dict[tuple[str, int], Any] = {}

    def schema_info(self, topic: str, version: int) -> Any:
        """The client's SchemaInfo of one version; None if the registry doesn't have it, or doesn't let us read it.

        `topic`: full name without partition; `version`: the broker's number.
        """
        key = (topic, version)
        if key not in self._schema_infos:
            try:
                self._schema_infos[key] = self._client._client.get_schema_info(topic, version)
            except (pulsar.TopicNotFound, pulsar.AuthorizationError):
                self._schema_infos[key] = None
        return self._schema_infos[key]

    def read(self, topic: str | None, version: int | None, body: bytes) -> Decoded:
        """Decodes a message. Never raises for what is in it, only the client's errors if the registry can't be asked.

        `topic`: full name without partition, None if not known; `version`: the broker's number. What was written
        without a schema (version -1), or in one that is not to be had, is decoded with the one in schemas/.
        """
        schema, name, warning = self._writer_schema(topic, version)
        if schema is None:
            return Decoded(problem=warning)
        entry = io.BytesIO(body)
        try:
            envelope: Any = fastavro.schemaless_reader(entry, schema, None)
        except Exception as error:  # whatever a decoder may raise on garbage
            return Decoded(problem=f"{warning}unreadable with {name}: {type(error).__name__}: {error}")
        excess = len(body) - entry.tell()
        if excess:
            return Decoded(problem=f"{warning}unreadable with {name}: {excess} bytes too many")
        return Decoded(envelope if isinstance(envelope, dict) else {"": envelope}, name, warning.rstrip("; "))

    def _writer_schema(self, topic: str | None, version: int | None) -> tuple[Any, str, str]:
        """The parsed schema to read with, what to call it, and what is odd about it: "", or a text that ends in "; ".

        Without a schema, the third says why.
        """
        if topic is None:
            return None, "", "it does not say which topic its message was on"
        parsed = self._parsed(topic, version) if version is not None and version >= 0 else None
        if parsed:
            return parsed, f"schema version {version} of {short_name(topic)}", ""
        missing = "it has no schema version" if version in (None, -1) else f"schema version {version} is not to be had"
        if short_name(topic) not in PAYLOADS:
            return None, "", f"{missing}, and {short_name(topic)} is none of our topics"
        return codec(short_name(topic)).schema, f"today's schema of {short_name(topic)}", f"{missing}; "

    def _parsed(self, topic: str, version: int) -> Any:
        """The schema for fastavro; None if the registry has none, or none of Avro."""
        key = (topic, version)
        if key not in self._avro:
            info = self.schema_info(topic, version)
            is_avro = info is not None and info.schema_type() == _pulsar.SchemaType.AVRO
            self._avro[key] = parse_schema(json.loads(info.schema())) if is_avro else None
        return self._avro[key]
