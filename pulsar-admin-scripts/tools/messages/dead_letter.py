"""What a dead letter's properties say about the message in it. functions/pulsar_io/dead_letter.py writes them."""

import re
from collections.abc import Mapping
from typing import Final

from functions.messages.topics import without_partition

_TOPIC: Final = re.compile(r"persistent://([\w.=:-]+/){2}[\w.=:-]+", re.ASCII)
_INTEGER: Final = re.compile(r"-?\d{1,18}", re.ASCII)


def original_topic(properties: Mapping[str, str]) -> str | None:
    """The topic that the message was on: full name without partition.

    None if the dead letter does not say, or says what is no topic's name: the client library crashes on such names.
    """
    topic = properties.get("dlq-topic", "")
    return without_partition(topic) if _TOPIC.fullmatch(topic) else None


def schema_version(properties: Mapping[str, str]) -> int | None:
    """The broker's number of the schema that the message was written in; -1 if it had none, None if not known."""
    return integer(properties, "dlq-schema-version")


def integer(properties: Mapping[str, str], name: str) -> int | None:
    """A property that is a number; None if it is missing, or no integer of at most 18 digits."""
    text = properties.get(name, "")
    return int(text) if _INTEGER.fullmatch(text) else None
