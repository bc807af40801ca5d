"""Ids that begin with a time."""

import time
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from functions.comun.ids import derivado, nuevo


def ms(id_: UUID) -> int:
    return id_.int >> 80


def test_a_new_id_is_of_version_7_and_of_now_and_no_two_are_the_same() -> None:
    antes = time.time_ns() // 1_000_000
    ids = [nuevo() for _ in range(10_000)]
    assert all(antes <= ms(id_) <= time.time_ns() // 1_000_000 for id_ in ids)
    assert {(id_.version, id_.variant) for id_ in ids} == {(7, uuid4().variant)}
    assert len(set(ids)) == len(ids)


@given(st.uuids(), st.text())
def test_a_derived_id_is_always_the_same_and_of_the_time_of_its_cause(de: UUID, nombre: str) -> None:
    id_ = derivado(de, nombre)
    assert id_ == derivado(UUID(str(de)), nombre)
    assert (id_.version, id_.variant, ms(id_)) == (8, uuid4().variant, ms(de))


@given(st.lists(st.tuples(st.uuids(), st.text()), unique=True, max_size=50))
def test_different_causes_and_names_make_different_ids(todas: list[tuple[UUID, str]]) -> None:
    assert len({derivado(*una) for una in todas}) == len(todas)
