"""The versions of schemas in a cluster's registry, and how they differ from those in the repository."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tools.cluster import schema_files
from tools.cluster.schema_files import version


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """One version in the registry. `number`: ours; None if the schema says none. `timestamp`: of its upload."""

    number: int | None
    timestamp: datetime
    definition: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """A version of a topic's schema that is not the same in the cluster and in the repository.

    `status`: missing (not in the cluster), extra (not in the repository), changed (the same version in both, but not
    the same schema). `number`: our version; None if the whole topic is extra.
    """

    topic: str
    number: int | None
    status: str


def required_versions(topic: str) -> dict[int, Any]:
    """What the registry must have of a topic: released versions, and today's, by their numbers, oldest first."""
    current = schema_files.current(topic)
    return schema_files.released(topic) | {version(current) or 0: current}


def differences(registered: Mapping[str, Sequence[RegisteredVersion]]) -> Iterator[Difference]:
    """How the versions in the registry, by topic, differ from the required ones."""
    our_topics = schema_files.topics()
    for topic, present in registered.items():
        if topic in our_topics:
            yield from _topic_differences(topic, required_versions(topic), present)
        else:
            yield Difference(topic, None, "extra")


def _topic_differences(
    topic: str, required: Mapping[int, Any], present: Sequence[RegisteredVersion]
) -> Iterator[Difference]:
    definitions = [registered.definition for registered in present]
    other_numbers = {r.number: r for r in present if r.definition not in required.values()}
    for number, definition in required.items():
        if number in other_numbers:
            yield Difference(topic, number, "changed")
        elif definition not in definitions:
            yield Difference(topic, number, "missing")
    yield from (Difference(topic, number, "extra") for number in other_numbers if number not in required)


def conflicts(differences: Iterable[Difference]) -> str | None:
    """What to say if versions in the cluster are not what was released here under their numbers; None if all are."""
    updates = [f"  version {d.number} of {d.topic}" for d in differences if d.status == "changed"]
    if not updates:
        return None
    return "\n".join(
        [
            "error: the cluster has other schemas than these files under the same version:",
            *updates,
            "  changed here: raise the version (`schemas.py check`). Uploaded by somebody else: see `schemas.py list "
            "--json`.\n  A local platform with data from before a schema was released: `make clean`. Nothing was done.",
        ]
    )
