"""What one transaction tells of the drivers that it changes."""

from typing import Any

import pytest

from functions.conductores.states import ASIGNADO, LIBRE, MAX_CONDUCTORES, Changes, Libre
from functions.messages.codec import MAX_BYTES, codec
from functions.messages.envelope import now
from functions.messages.ids import new
from functions.messages.payloads import MAX_NOMBRE, Conductor, EventoConductor


def conductor(nombre: str | None) -> Conductor:
    return Conductor(new(), nombre, LIBRE, new(), now(), 2**31 - 1)


def events(changes: Changes) -> list[Any]:
    return changes.events()


def test_each_driver_is_told_of_once_as_it_is_at_last() -> None:
    changes, id_orden = Changes(now()), new()
    freed = conductor("Ana")
    changes.put([freed, conductor(None)])
    changes.take(Libre(freed.id_conductor, "Ana", 7), id_orden)
    (event,) = events(changes)
    assert event.id_conductor == freed.id_conductor
    assert event.conductores[0] == Conductor(freed.id_conductor, "Ana", ASIGNADO, id_orden, changes.moment, 8)
    assert len(event.conductores) == 2


def test_nothing_is_told_of_nobody() -> None:
    assert Changes(now()).events() == []


@pytest.mark.parametrize("nombre", [None, "Ana", "🚚" * MAX_NOMBRE])
def test_an_event_tells_of_as_many_drivers_as_its_readers_take(nombre: str | None) -> None:
    changes, conductores = Changes(now()), [conductor(nombre) for _ in range(3 * MAX_CONDUCTORES)]
    changes.put(conductores)
    told: list[Conductor] = []
    for event in events(changes):
        raw = codec(EventoConductor.topic).encode(new(), 0, "conductores", event)
        assert len(raw) <= MAX_BYTES
        assert len(event.conductores) <= MAX_CONDUCTORES
        told += codec(EventoConductor.topic).decode(raw).data.conductores  # type: ignore[attr-defined]
    assert told == conductores
    assert len(events(changes)) == 3 or nombre not in (None, "Ana")
