"""The gate: every planted change that breaks a reader is refused, with who breaks and how to do it right."""

import json
import re
from pathlib import Path

import pytest
from tools.cluster.schema_files import released
from tools.schemas.check import problems

from tests.support.clone import Clone
from tests.support.schema_changes import (
    COMPATIBLE,
    INCOMPATIBLE,
    TOPIC,
    UNSEEN_BY_AVRO,
    Change,
    field,
    following,
    payload_fields,
)


def objections(change: Change) -> str:
    """All that the gate says of a change in a next version, but that it is not on record yet."""
    schema, before = following(change)
    messages = [f"{what} | {remedy}" for what, remedy in problems(schema, before, ["crear-orden", "registrar-saga"])]
    return "\n".join(expected for expected in messages if "on record" not in expected)


@pytest.mark.parametrize("name", COMPATIBLE)
def test_a_compatible_change_passes(name: str) -> None:
    assert objections(COMPATIBLE[name]) == ""


@pytest.mark.parametrize("name", INCOMPATIBLE)
def test_an_incompatible_change_is_refused(name: str) -> None:
    change, text = INCOMPATIBLE[name]
    expected = objections(change)
    assert re.search(text, expected), expected


def test_the_refusal_names_the_readers_that_break() -> None:
    expected = objections(INCOMPATIBLE["a new field without default"][0])
    assert "crear-orden and registrar-saga, with version 3, can't read messages of 2" in expected


@pytest.mark.parametrize("name", UNSEEN_BY_AVRO)
def test_a_change_of_meaning_is_refused_although_avro_lets_it_pass(name: str) -> None:
    change, text = UNSEEN_BY_AVRO[name]
    expected = objections(change)
    assert text in expected
    assert "whatever Avro makes of it" in expected


def test_every_earlier_version_counts_not_just_the_last() -> None:
    """Each step is compatible with the one before it; the last is not with the first."""
    one = {"type": "record", "name": "R", "version": "1", "fields": [{"name": "a", "type": "int", "default": 0}]}
    two = one | {"version": "2", "fields": []}
    three = one | {"version": "3", "fields": [{"name": "a", "type": "string", "default": ""}]}
    messages = [what for what, _ in problems(three, {1: one, 2: two}, ["f"])]
    assert [what for what in messages if "against version 2" in what] == []
    assert any("against version 1: a's type" in what for what in messages)


def test_another_default_is_refused() -> None:
    fields = [{"name": "a", "type": "int", "default": 0}]
    one = {"type": "record", "name": "R", "version": "1", "fields": fields}
    two = one | {"version": "2", "fields": [fields[0] | {"default": 7}]}
    assert any("a's default was 0 and is 7" in what for what, _ in problems(two, {1: one}, ["f"]))


VERSIONS = {
    "unchanged number": ("2", "it has changed and is still version 2"),
    "older number": ("1", "it has changed and is still version 1"),
    "a gap": ("4", 'it is version 4, and the newest that is released is 2 | say "version": "3"'),
    "not on record": ("3", "version 3 is not on record"),
    "no number": ("dos", "version is 'dos'"),
    "no quotes": (3.5, "version is 3.5"),
}


@pytest.mark.parametrize("case", VERSIONS)
def test_a_changed_schema_needs_the_next_version(case: str) -> None:
    number, text = VERSIONS[case]
    schema, before = following(lambda e: field(e, "cantidad").update(doc="Units.", type="int"))
    schema["version"] = number
    messages = [f"{what} | {remedy}" for what, remedy in problems(schema, before, [])]
    assert any(text in expected for expected in messages), messages


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_the_command_refuses_a_planted_change_and_takes_the_right_one(clone: Clone) -> None:
    passed = clone.run("schemas.py", "check")
    assert (passed.returncode, passed.stderr) == (0, "")
    clone.edit(clone.schema(TOPIC), lambda s: s.replace('"cantidad", "type": "int"', '"cantidad", "type": "long"'))
    bad = clone.run("schemas.py", "check")
    assert bad.returncode == 1
    assert f"schemas/{TOPIC}.avsc: it has changed and is still version" in bad.stderr
    clone.schema(TOPIC).write_bytes(clone.release(TOPIC, max(released(TOPIC))).read_bytes())
    optional_field = {"name": "x", "type": ["null", "string"], "doc": "X.", "default": None}

    def add_field(text: str) -> str:
        schema = json.loads(text)
        payload_fields(schema).append(optional_field)
        return json.dumps(schema | {"version": "3"})

    clone.edit(clone.schema(TOPIC), add_field)
    release = clone.run("schemas.py", "release")
    assert (release.returncode, release.stderr) == (0, "")
    assert release.stdout.startswith(f"schemas/releases/{TOPIC}/3.avsc\nschemas/releases/{TOPIC}/3.golden.json\n")
    assert clone.run("schemas.py", "check").returncode == 0


def test_what_was_released_can_not_be_changed_or_removed(clone: Clone) -> None:
    one = clone.release(TOPIC, 1)
    clone.edit(one, lambda text: text.replace("Units ordered", "Units"))
    assert (
        "1.avsc: it, or 1.golden.json beside it, is not as it was released" in clone.run("schemas.py", "check").stderr
    )
    one.unlink()
    assert "restore the missing one" in clone.run("schemas.py", "check").stderr
    clone.schema(TOPIC).unlink()
    assert "it is released and has no schema now" in clone.run("schemas.py", "check").stderr


def test_a_file_that_is_no_json_is_named(clone: Clone) -> None:
    clone.edit(clone.schema(TOPIC), lambda text: text[:-3])
    failure = clone.run("schemas.py", "check")
    assert (failure.returncode, failure.stdout) == (1, "")
    assert failure.stderr.startswith(f"error: schemas/{TOPIC}.avsc is no JSON")
