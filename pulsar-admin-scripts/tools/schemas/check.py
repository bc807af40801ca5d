"""The gate: whether a schema may be released, given every released version of it. No cluster is needed.

The verdict is Avro's own (`avro.compatibility`, the port of what the broker runs) for FULL_TRANSITIVE: every version
reads every other. Refused beside that, although a broker lets it pass: another type or logical type of a field
(a broker reads `string` as `bytes`, and takes microseconds for milliseconds), a default that was changed or taken
away, another name of a record.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import avro.schema
from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

from tools.cluster import schema_files
from tools.cluster.schema_files import RELEASES, file, read, relative_path, released, released_files, version
from tools.schemas.diff import Change, Definition, differences


def check_all() -> Iterator[tuple[str, str, str]]:
    """Everything that the gate refuses: the file, what is wrong with it, and what to do instead."""
    for topic in schema_files.topics():
        topic_problems = problems(schema_files.current(topic), released(topic), schema_files.readers(topic))
        yield from ((relative_path(file(topic)), *problem) for problem in topic_problems)
        yield from _check_released(topic)
    for folder in sorted(RELEASES.glob("*/*")):
        if not file(str(folder.relative_to(RELEASES))).exists():
            yield (
                relative_path(folder),
                "it is released and has no schema now",
                "restore it: its messages are still read",
            )


def _check_released(topic: str) -> Iterator[tuple[str, str, str]]:
    """What is wrong with the released versions of a topic: they must all be there, and as they were released."""
    numbers = list(released(topic))
    if numbers != list(range(1, len(numbers) + 1)):
        finding = f"released versions are {', '.join(map(str, numbers))}"
        yield relative_path(RELEASES / topic), finding, "restore the missing one: its messages are still read"
    for number in numbers:
        schema, samples = released_files(topic, number)
        intact = samples.exists() and read(samples)["sha256"] == schema_files.sha256(schema)
        if version(read(schema)) != number or not intact:
            finding = f"it, or {samples.name} beside it, is not as it was released"
            yield (
                relative_path(schema),
                finding,
                "restore both: what was released never changes; a change is a new version",
            )


def problems(current: Definition, before: Mapping[int, Definition], readers: Sequence[str]) -> Iterator[Change]:
    """What is wrong with a schema, and what to do instead.

    `before`: its released versions, by their numbers; `readers`: the functions that read the topic, to name them.
    """
    number = version(current)
    if number is None:
        yield f"version is {current.get('version')!r}", 'it must be a whole number in quotes, such as "2"'
        return
    try:
        new = avro.schema.parse(json.dumps(current))
    except avro.schema.SchemaParseException as error:  # type: ignore[attr-defined]
        yield f"it is no Avro schema: {error}", "fix the file"
        return
    yield from _check_version(number, current, before)
    for other_number, definition in before.items():
        if other_number != number:
            old = avro.schema.parse(json.dumps(definition))
            changes = list(differences(current, definition))
            broken = [
                *_broken_readers(new, old, number, other_number, readers),
                *_broken_readers(old, new, other_number, number, readers),
            ]
            if broken and not changes:
                changes = [("it differs in a way that Avro can't bridge", "undo the change")]
            for finding, remedy in changes:
                explanation = "; ".join(broken) or "its meaning would change for readers, whatever Avro makes of it"
                yield f"against version {other_number}: {finding} ({explanation})", remedy


def _check_version(number: int, current: Definition, before: Mapping[int, Definition]) -> Iterator[Change]:
    last = max(before, default=0)
    if number in before and current != before[number]:
        finding = f"it has changed and is still version {number}, which is released as something else"
        yield finding, f'say "version": "{last + 1}", then `make schemas-release`'
    elif number < last:
        yield f"it is version {number}, but version {last} is released", "versions only grow: restore the newest one"
    elif number > last + 1:
        yield f"it is version {number}, and the newest that is released is {last}", f'say "version": "{last + 1}"'
    elif number > last:
        yield f"version {number} is not on record", "`make schemas-release` records it, with samples for the tests"


def _broken_readers(
    reader: Any, writer_schema: Any, reader_version: int, writer_version: int, readers: Sequence[str]
) -> list[str]:
    """One text that names the readers, if with their schema they can't read what was written with the other one."""
    result = ReaderWriterCompatibilityChecker().get_compatibility(reader, writer_schema)  # type: ignore[no-untyped-call]
    if result.compatibility is SchemaCompatibilityType.compatible:
        return []
    who = " and ".join(readers) or "whoever reads it"
    return [f"{who}, with version {reader_version}, can't read messages of {writer_version}"]
