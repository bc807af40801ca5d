"""Makes messages of the files that people write: JSON or YAML, payloads, envelopes or CloudEvents."""

import io
import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import fastavro
import yaml

from functions.messages.codec import Codec, codec, codec_for
from functions.messages.envelope import InvalidMessage
from functions.messages.outgoing import Outgoing
from tools.cluster.schema_files import released
from tools.messages.avro_json import from_json, to_json
from tools.messages.cloudevents_json import VERSION, from_cloudevent
from tools.messages.samples import sample

_SPACE: Final = re.compile(r"\s*")
Message = tuple[dict[str, Any], Outgoing]
"""An envelope, and what is sent of it."""


class _Yaml(yaml.SafeLoader):
    """A safe loader that leaves times as text, as JSON has them."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # as in its base class
        character: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
        for character, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def from_yaml(text: str) -> Any:
    """The value of one YAML document; yaml.YAMLError if it is none."""
    return yaml.load(text, _Yaml)


def read(file: str) -> list[Any]:
    """The messages in a file of JSON or YAML, as they are written there; "-" is the standard input.

    A file may hold several documents, and a document a list of messages. Raises OSError if the file can't be read,
    ValueError if it is neither JSON nor YAML, or not in UTF-8.
    """
    raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    text = raw.decode("utf-8-sig")
    try:
        documents = list(_json(text))
    except (ValueError, RecursionError) as error:
        try:
            documents = [document for document in yaml.load_all(text, _Yaml) if document is not None]
        except (yaml.YAMLError, ValueError, RecursionError) as yaml_error:
            is_json = text.lstrip()[:1] in ("{", "[")
            raise ValueError(f"no JSON: {error}" if is_json else f"no YAML: {yaml_error}") from yaml_error
    return [item for document in documents for item in (document if isinstance(document, list) else [document])]


def _json(text: str) -> Iterator[Any]:
    """One document after another, with white space between them or none."""
    decoder = json.JSONDecoder()
    position = _after_space(text, 0)
    while position < len(text):
        document, position = decoder.raw_decode(text, position)
        yield document
        position = _after_space(text, position)


def _after_space(text: str, position: int) -> int:
    """The position of the next character that is no white space; the text's end if there is none."""
    return _SPACE.match(text, position).end()  # type: ignore[union-attr]  # it always matches


def prepare(value: Any, topic: str, changes: Mapping[str, Any]) -> Message:
    """Makes a message of what was given, and checks it as the topic's readers check it.

    `value`: a payload, an envelope or a CloudEvent; `changes`: payload fields that replace those in it. Raises
    ValueError, with a line for each problem.
    """
    given = _envelope(value, topic, changes)
    codecs = _codecs(topic)
    version = given["specversion"] if isinstance(given, dict) else codec(topic).version
    if version not in codecs:
        raise ValueError(f"the schema's version is {version!r}: leave it out, or say one of {', '.join(codecs)}")
    envelope = from_json(given, codecs[version].definition)
    output = io.BytesIO()
    fastavro.schemaless_writer(output, codecs[version].schema, envelope)
    try:
        data = codec(topic).decode(output.getvalue(), codecs[version].schema).data
    except InvalidMessage as error:
        raise ValueError(str(error)) from error
    return envelope, Outgoing(topic, str(getattr(data, data.key)), output.getvalue(), version=version)


@cache
def _codecs(topic: str) -> dict[Any, Codec]:
    """The codec of every released version of the topic's schema, and today's, by the schema's own version."""
    codecs = [*(codec_for(topic, definition) for definition in released(topic).values()), codec(topic)]
    return {item.version: item for item in codecs}


def _envelope(value: Any, topic: str, changes: Mapping[str, Any]) -> Any:
    """A whole envelope as JSON has it, with a sample's values for what is left out. It is not checked yet."""
    if not isinstance(value, dict):
        return value
    if value.get("specversion") == VERSION:
        value = from_cloudevent(value, topic)
    elif "data" not in value:
        value = {"data": value}
    defaults = to_json(sample(topic))
    del defaults["data"]
    with suppress(KeyError, TypeError):
        value = value | {"data": value["data"] | changes}
    return defaults | value
