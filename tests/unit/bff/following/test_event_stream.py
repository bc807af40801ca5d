"""GET /orders/<id>/events: the saga as it comes, nothing twice, nothing skipped."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from bff.app import create_app
from bff.backends.read_models import DatabaseUnavailable, Row
from bff.following.event_stream import EventStream
from bff.following.following import Pace
from functions.messages.ids import Id
from tests.support import through_door
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.web.test_commands import ID, problem
from tests.unit.bff.web.test_queries import ROW

EVENTS_PATH = f"/orders/{ID}/events"
# the ids of steps of the same moment begin alike, because the beginning is a time
STEPS: list[Row] = [
    {"id_mensaje": Id(str(UUID(int=n))), "evento": event, "is_compensation": False}
    for n, event in enumerate(("comando-crear-orden", "comando-disminuir-stock", "comando-marcar-listo-despacho"), 1)
]
CREADA, INICIADA = ROW, {**ROW, "estado": "iniciada"}


class ChangingReads(FakeReadModels):
    """Each poll of an order reads the next of `snapshots`; the last one stays."""

    snapshots: Sequence[tuple[Row | None, list[Row]]]
    observation_index = -1
    fails_from = 10**9

    def orden(self, id_orden: Id) -> Row | None:
        self.observation_index += 1
        if self.observation_index >= self.fails_from:
            raise DatabaseUnavailable("saga")
        return self._view()[0]

    def saga(self, id_orden: Id) -> list[Row]:
        return self._rows(self._view()[1])

    def _view(self) -> tuple[Row | None, list[Row]]:
        return self.snapshots[min(self.observation_index, len(self.snapshots) - 1)]


def app_with(*snapshots: tuple[Row | None, list[Row]], wait_slots: int = 1) -> Flask:
    read_models = ChangingReads()
    read_models.snapshots = snapshots
    return create_app(FakePublisher(), read_models, max_waiting=wait_slots)


def parse_events(text: str) -> list[tuple[str, str, Any]]:
    """The id, the name and the data of each event of a stream."""
    blocks = [dict(line.split(": ", 1) for line in block.split("\n")) for block in text.split("\n\n") if block]
    return [(b["id"], b["event"], json.loads(b["data"])) for b in blocks if "data" in b]


def names(response: TestResponse) -> list[str]:
    return [data.get("evento", data.get("estado")) for _, _, data in parse_events(response.text)]


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bff.following.event_stream.LONGEST", 0.1)
    monkeypatch.setattr("bff.following.followings.STEPS_PACE", Pace(0.001, 0.001, 0.001, 0.001, 0.002))


def test_steps_come_as_they_are_logged_and_the_order_last() -> None:
    app = app_with((None, []), (CREADA, STEPS[:1]), (CREADA, STEPS[:2]), (INICIADA, STEPS))
    response = through_door.client(app).get(EVENTS_PATH, headers={"Accept": "text/event-stream"})
    assert (response.status_code, response.mimetype) == (200, "text/event-stream")
    assert names(response) == [step["evento"] for step in STEPS] + ["iniciada"]
    assert [name for _, name, _ in parse_events(response.text)] == ["paso"] * 3 + ["orden"]
    assert response.text.startswith("retry: 1000\n\n")


def test_the_end_is_told_only_when_its_step_is_logged_and_the_order_can_be_read() -> None:
    assert names(through_door.client(app_with((INICIADA, STEPS[:2]))).get(EVENTS_PATH))[-1] == "comando-disminuir-stock"
    assert names(through_door.client(app_with((CREADA, STEPS))).get(EVENTS_PATH))[-1] == "comando-marcar-listo-despacho"


def test_until_the_end_means_the_last_state_and_the_step_that_led_to_it() -> None:
    delivered = {"id_mensaje": Id(str(UUID(int=4))), "evento": "comando-entregar-orden", "is_compensation": False}
    despachada, entregada = {**ROW, "estado": "despachada"}, {**ROW, "estado": "entregada"}
    app = app_with((INICIADA, STEPS), (despachada, STEPS), (entregada, STEPS), (entregada, [*STEPS, delivered]))
    response = through_door.client(app).get(f"{EVENTS_PATH}?hasta=fin")
    assert names(response) == [*(step["evento"] for step in STEPS), "comando-entregar-orden", "entregada"]
    assert names(through_door.client(app).get(EVENTS_PATH))[-1] == "entregada"
    assert problem(through_door.client(app).get(f"{EVENTS_PATH}?hasta=siempre"), 400)["campo"] == "hasta"


@given(st.permutations(STEPS), st.lists(st.integers(1, 3), max_size=4))
def test_whatever_is_logged_late_and_wherever_it_breaks_each_event_comes_once(
    orden: list[Row], cuts: list[int]
) -> None:
    """Steps are logged in any order and read by time, and the connection breaks after any number of events."""
    snapshots = [(CREADA, sorted(orden[:n], key=lambda step: step["id_mensaje"])) for n in range(4)]
    received, last = [], ""
    for cut in [*cuts, 100]:
        stream = EventStream(last.split(".") if last else [])
        text = b"".join(stream.new_events(*snapshot) for snapshot in [*snapshots, (INICIADA, STEPS)]).decode()
        for event_id, _, data in parse_events(text)[:cut]:
            last = event_id
            received.append(data.get("evento", data.get("estado")))
    assert sorted(received) == sorted([step["evento"] for step in STEPS] + ["iniciada"])
    assert received[-1] == "iniciada"


def test_who_has_everything_is_told_not_to_come_again() -> None:
    app = app_with((INICIADA, STEPS))
    (*_, (last, _, _)) = parse_events(through_door.client(app).get(EVENTS_PATH, buffered=True).text)
    response = through_door.client(app).get(EVENTS_PATH, headers={"Last-Event-ID": last})
    assert (response.status_code, response.text) == (204, "")


def test_if_nothing_new_comes_the_client_is_to_come_again() -> None:
    app = app_with((CREADA, STEPS[:1]))
    ((last, _, _),) = parse_events(through_door.client(app).get(EVENTS_PATH, buffered=True).text)
    response = through_door.client(app).get(EVENTS_PATH, headers={"Last-Event-ID": last})
    assert (response.status_code, response.text) == (200, "retry: 1000\n\n")


def test_an_unknown_order_is_404_and_a_wrong_last_event_id_400() -> None:
    assert "there is no saga" in problem(through_door.client(app_with((None, []))).get(EVENTS_PATH), 404)["detail"]
    for last in ("x", "0" * 9, "fin", "00000000.FIN", "00000000." * 3):
        response = through_door.client(app_with((CREADA, STEPS))).get(EVENTS_PATH, headers={"Last-Event-ID": last})
        assert "Last-Event-ID" in problem(response, 400)["detail"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_one_too_many_is_told_when_to_come_again_and_places_are_given_back(method: str) -> None:
    app = app_with((CREADA, STEPS[:1]), wait_slots=1)
    for _ in range(3):
        response = through_door.client(app).open(EVENTS_PATH, method=method, buffered=False)
        if method == "GET":
            second = through_door.client(app).get(EVENTS_PATH)
            assert "1 requests wait already" in problem(second, 503)["detail"]
            assert second.headers["Retry-After"] == "3"
        assert response.status_code == 200
        response.close()


def test_a_database_that_is_away_at_first_is_503_and_later_the_end_of_the_stream() -> None:
    read_models = FakeReadModels(failure=DatabaseUnavailable("saga"))
    app = create_app(FakePublisher(), read_models, max_waiting=1)
    for _ in range(2):
        problem(through_door.client(app).get(EVENTS_PATH), 503)
    later = ChangingReads()
    later.snapshots = [(CREADA, STEPS[:1])]
    later.fails_from = 1
    response = through_door.client(create_app(FakePublisher(), later)).get(EVENTS_PATH)
    assert (response.status_code, names(response)) == (200, ["comando-crear-orden"])
