"""The topics and subscriptions that a cluster must have, by what the repository says."""

from collections.abc import Collection
from functools import cache
from typing import Final

from functions.messages.topics import DEAD_LETTER_SUFFIX, TENANT, full_name, short_name
from tools.cluster import schema_files
from tools.cluster.repository import function_configs

NAMESPACES: Final = tuple(f"{TENANT}/{name}" for name in ("ordenes", "productos", "conductores", "saga", "despliegues"))
DEAD_LETTER_SUBSCRIPTION: Final = "cuarentena"
"""The subscription of a dead-letter topic that keeps the dead letters until an operator has dealt with them."""
HISTORY_TOPIC: Final = full_name("despliegues/historia")
"""What was deployed: a message for each function and version."""
HISTORY_SUBSCRIPTION: Final = "historia"
"""The subscription that keeps those messages: what it has acknowledged may go."""


def dead_letter_topic(function: str) -> str:
    """The full name of the dead-letter topic of a function, <namespace>/<name>."""
    return full_name(f"{function}{DEAD_LETTER_SUFFIX}")


@cache
def dead_letter_topics() -> tuple[str, ...]:
    """The short names of all functions' dead-letter topics."""
    return tuple(
        short_name(dead_letter_topic(f"{config['namespace']}/{config['name']}"))
        for config in function_configs().values()
    )


def subscriptions() -> dict[str, list[str]]:
    """The full name of every topic that carries messages, with the names of the subscriptions that it must have.

    A topic with a schema has a subscription for each function that reads it; a dead-letter topic has one.
    """
    topics: dict[str, list[str]] = {full_name(topic): [] for topic in schema_files.topics()}
    for config in function_configs().values():
        for topic in config["inputSpecs"]:
            topics[topic].append(config["subName"])
    return topics | {full_name(topic): [DEAD_LETTER_SUBSCRIPTION] for topic in dead_letter_topics()}


def require_topic(topic: str, known: Collection[str]) -> str:
    """The short name of a topic that a user named, short or in full; ValueError, with all `known`, if it is unknown."""
    name = short_name(topic)
    if name not in known:
        raise ValueError(f"there is no topic {topic}; there are {', '.join(known)}")
    return name
