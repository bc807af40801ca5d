"""Ids that begin with a time."""

import hashlib
import time
from random import Random
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.messages.ids import Id, are_canonical, derived, new, parse

IDS = st.uuids().map(str).map(Id)


def ms(id_: Id) -> int:
    return UUID(id_).int >> 80


def layout(id_: Id) -> tuple[int | None, str]:
    """Version and variant; it is in the canonical form too."""
    assert str(UUID(id_)) == id_
    return UUID(id_).version, UUID(id_).variant


def test_a_new_id_is_of_version_7_and_of_now_and_no_two_are_the_same() -> None:
    before = time.time_ns() // 1_000_000
    ids = [new() for _ in range(10_000)]
    assert all(before <= ms(id_) <= time.time_ns() // 1_000_000 for id_ in ids)
    assert {layout(id_) for id_ in ids} == {(7, uuid4().variant)}
    assert len(set(ids)) == len(ids)


@given(IDS, st.text())
def test_a_derived_id_is_always_the_same_and_of_the_time_of_its_cause(source: Id, name: str) -> None:
    id_ = derived(source, name)
    assert id_ == derived(Id(str(UUID(source))), name)
    assert (*layout(id_), ms(id_)) == (8, uuid4().variant, ms(source))
    digest = int.from_bytes(hashlib.sha1(UUID(source).bytes + name.encode()).digest()[:10], "big")
    rng = ~(0xF << 76 | 0x3 << 62) & (1 << 80) - 1
    assert UUID(id_).int & rng == digest & rng, "what was derived yesterday is derived today"


@given(st.lists(st.tuples(IDS, st.text()), unique=True, max_size=50))
def test_different_causes_and_names_make_different_ids(pairs: list[tuple[Id, str]]) -> None:
    assert len({derived(*arguments) for arguments in pairs}) == len(pairs)


@given(st.uuids())
def test_an_id_is_read_in_whatever_form_and_is_canonical_then(uuid: UUID) -> None:
    forms = (str(uuid), str(uuid).upper(), uuid.hex, uuid.urn, f"{{{uuid}}}")
    assert {parse(text) for text in forms} == {str(uuid)}


@pytest.mark.parametrize("text", ["", "x", f"{UUID(int=1)}"[:-1], f"{UUID(int=1)}\n"])
def test_what_is_no_id(text: str) -> None:
    with pytest.raises(ValueError, match="badly formed"):
        parse(text)


ONE = f"{UUID(int=1)}"
INVALID_IDS = st.sampled_from(
    ["", " ", "x", "\ud800", f"{UUID(int=10)}".upper(), f"{ONE}\n", f"{ONE} {ONE}", None, [ONE]]
)


@given(st.lists(IDS, min_size=1), st.lists(INVALID_IDS, min_size=1), st.randoms())
def test_ids_looked_at_together_are_those_looked_at_one_by_one(
    ids: list[Id], others: list[object], rng: Random
) -> None:
    assert are_canonical(*ids)
    all_ids = [*ids, *others]
    rng.shuffle(all_ids)
    assert not are_canonical(*all_ids)
    assert not are_canonical(*others)
