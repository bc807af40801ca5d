"""Ids that begin with a time."""

import hashlib
import time
from random import Random
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.comun.ids import Id, derivado, leer, nuevo, son

IDS = st.uuids().map(str).map(Id)


def ms(id_: Id) -> int:
    return UUID(id_).int >> 80


def forma(id_: Id) -> tuple[int | None, str]:
    """Version and variant; it is in the canonical form too."""
    assert str(UUID(id_)) == id_
    return UUID(id_).version, UUID(id_).variant


def test_a_new_id_is_of_version_7_and_of_now_and_no_two_are_the_same() -> None:
    antes = time.time_ns() // 1_000_000
    ids = [nuevo() for _ in range(10_000)]
    assert all(antes <= ms(id_) <= time.time_ns() // 1_000_000 for id_ in ids)
    assert {forma(id_) for id_ in ids} == {(7, uuid4().variant)}
    assert len(set(ids)) == len(ids)


@given(IDS, st.text())
def test_a_derived_id_is_always_the_same_and_of_the_time_of_its_cause(de: Id, nombre: str) -> None:
    id_ = derivado(de, nombre)
    assert id_ == derivado(Id(str(UUID(de))), nombre)
    assert (*forma(id_), ms(id_)) == (8, uuid4().variant, ms(de))
    digerido = int.from_bytes(hashlib.sha1(UUID(de).bytes + nombre.encode()).digest()[:10], "big")
    azar = ~(0xF << 76 | 0x3 << 62) & (1 << 80) - 1
    assert UUID(id_).int & azar == digerido & azar, "what was derived yesterday is derived today"


@given(st.lists(st.tuples(IDS, st.text()), unique=True, max_size=50))
def test_different_causes_and_names_make_different_ids(todas: list[tuple[Id, str]]) -> None:
    assert len({derivado(*una) for una in todas}) == len(todas)


@given(st.uuids())
def test_an_id_is_read_in_whatever_form_and_is_canonical_then(uuid: UUID) -> None:
    formas = (str(uuid), str(uuid).upper(), uuid.hex, uuid.urn, f"{{{uuid}}}")
    assert {leer(texto) for texto in formas} == {str(uuid)}


@pytest.mark.parametrize("texto", ["", "x", f"{UUID(int=1)}"[:-1], f"{UUID(int=1)}\n"])
def test_what_is_no_id(texto: str) -> None:
    with pytest.raises(ValueError, match="badly formed"):
        leer(texto)


UNO = f"{UUID(int=1)}"
NINGUNO = st.sampled_from(["", " ", "x", "\ud800", f"{UUID(int=10)}".upper(), f"{UNO}\n", f"{UNO} {UNO}", None, [UNO]])


@given(st.lists(IDS, min_size=1), st.lists(NINGUNO, min_size=1), st.randoms())
def test_ids_looked_at_together_are_those_looked_at_one_by_one(
    ids: list[Id], otros: list[object], azar: Random
) -> None:
    assert son(*ids)
    todos = [*ids, *otros]
    azar.shuffle(todos)
    assert not son(*todos)
    assert not son(*otros)
