"""How topics are named: "<namespace>/<topic>" in our own code, persistent://<tenant>/<namespace>/<topic> for Pulsar."""

import re
from typing import Final

TENANT: Final = "monoliticas"
"""The tenant of all our topics and functions."""
PREFIX: Final = f"persistent://{TENANT}/"
DEAD_LETTER_SUFFIX: Final = "-dlq"
"""What a dead-letter topic's name has after that of its function, <namespace>/<function>."""
_PARTITION: Final = re.compile(r"-partition-\d+$")


def full_name(topic: str) -> str:
    """The name that Pulsar's client and its functions' configurations want: persistent://monoliticas/ordenes/…"""
    return f"{PREFIX}{topic}"


def short_name(topic: str) -> str:
    """`ordenes/evento-orden` for the full name of a topic of our tenant; any other text as it is."""
    return topic.removeprefix(PREFIX)


def without_partition(topic: str) -> str:
    """The topic's own name, for the name of one of its partitions; any other name as it is."""
    return _PARTITION.sub("", topic)


def is_dead_letter_topic(topic: str) -> bool:
    """True for the short or the full name of a topic that holds dead letters."""
    return topic.endswith(DEAD_LETTER_SUFFIX)
