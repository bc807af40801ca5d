"""GET /orders/<id>/events: the saga as it comes, nothing twice, nothing skipped."""

import json
from collections.abc import Sequence
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from bff.app import create_app
from bff.backends.read_models import DatabaseUnavailable, Row
from bff.following import waiting
from bff.following.event_stream import EventStream
from functions.messages.ids import Id
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

    def orden(self, id_orden: Id) -> Row | None:
        self.observation_index += 1
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
    monkeypatch.setattr("bff.web.queries.LONGEST_WAIT", 0.1)
    monkeypatch.setattr("bff.following.waiting.PAUSE", (0.001, 0.001))


def test_steps_come_as_they_are_logged_and_the_order_last() -> None:
    app = app_with((None, []), (CREADA, STEPS[:1]), (CREADA, STEPS[:2]), (INICIADA, STEPS))
    response = app.test_client().get(EVENTS_PATH, headers={"Accept": "text/event-stream"})
    assert (response.status_code, response.mimetype) == (200, "text/event-stream")
    assert names(response) == [step["evento"] for step in STEPS] + ["iniciada"]
    assert [name for _, name, _ in parse_events(response.text)] == ["paso"] * 3 + ["orden"]
    assert response.text.startswith("retry: 1000\n\n")


def test_the_end_is_told_only_when_its_step_is_logged_and_the_order_can_be_read() -> None:
    assert names(app_with((INICIADA, STEPS[:2])).test_client().get(EVENTS_PATH))[-1] == "comando-disminuir-stock"
    assert names(app_with((CREADA, STEPS)).test_client().get(EVENTS_PATH))[-1] == "comando-marcar-listo-despacho"


@given(st.permutations(STEPS), st.lists(st.integers(1, 3), max_size=4))
def test_whatever_is_logged_late_and_wherever_it_breaks_each_event_comes_once(
    orden: list[Row], cuts: list[int]
) -> None:
    """Steps are logged in any order and read by time, and the connection breaks after any number of events."""
    snapshots = [(CREADA, sorted(orden[:n], key=lambda step: step["id_mensaje"])) for n in range(4)]
    received, last = [], ""
    for cut in [*cuts, 100]:
        polls = iter([*snapshots, (INICIADA, STEPS)])
        stream = EventStream(lambda: next(polls), last.split(".") if last else [], 1)  # noqa: B023
        for event, _ in zip(stream.events(), range(cut), strict=False):
            [(last, _, data)] = parse_events(event.decode())
            received.append(data.get("evento", data.get("estado")))
    assert sorted(received) == sorted([step["evento"] for step in STEPS] + ["iniciada"])
    assert received[-1] == "iniciada"


def test_who_has_everything_is_told_not_to_come_again() -> None:
    app = app_with((INICIADA, STEPS))
    (*_, (last, _, _)) = parse_events(app.test_client().get(EVENTS_PATH, buffered=True).text)
    response = app.test_client().get(EVENTS_PATH, headers={"Last-Event-ID": last})
    assert (response.status_code, response.text) == (204, "")


def test_if_nothing_new_comes_the_client_is_to_come_again() -> None:
    app = app_with((CREADA, STEPS[:1]))
    ((last, _, _),) = parse_events(app.test_client().get(EVENTS_PATH, buffered=True).text)
    response = app.test_client().get(EVENTS_PATH, headers={"Last-Event-ID": last})
    assert (response.status_code, response.text) == (200, "retry: 1000\n\n")


def test_an_unknown_order_is_404_and_a_wrong_last_event_id_400() -> None:
    assert "there is no saga" in problem(app_with((None, [])).test_client().get(EVENTS_PATH), 404)["detail"]
    for last in ("x", "0" * 9, "fin", "00000000.FIN", "00000000." * 3):
        response = app_with((CREADA, STEPS)).test_client().get(EVENTS_PATH, headers={"Last-Event-ID": last})
        assert "Last-Event-ID" in problem(response, 400)["detail"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_one_too_many_is_told_when_to_come_again_and_places_are_given_back(method: str) -> None:
    app = app_with((CREADA, STEPS[:1]), wait_slots=1)
    for _ in range(3):
        response = app.test_client().open(EVENTS_PATH, method=method, buffered=False)
        if method == "GET":
            second = app.test_client().get(EVENTS_PATH)
            assert "1 requests wait already" in problem(second, 503)["detail"]
            assert second.headers["Retry-After"] == "3"
        assert response.status_code == 200
        response.close()


def test_a_database_that_is_away_at_first_is_503_and_later_the_end_of_the_stream() -> None:
    read_models = FakeReadModels(failure=DatabaseUnavailable("saga"))
    app = create_app(FakePublisher(), read_models, max_waiting=1)
    for _ in range(2):
        problem(app.test_client().get(EVENTS_PATH), 503)
    polls = count()

    def read() -> tuple[Row, list[Row]]:
        if next(polls):
            raise DatabaseUnavailable("saga")
        return CREADA, STEPS[:1]

    assert len(list(EventStream(read, [], 1).events())) == 1


def test_waiting_looks_first_when_an_order_can_have_ended_then_often_then_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    clock = 0.0

    def fake_sleep(seconds: float) -> None:
        nonlocal clock
        clock += seconds
        pauses.append(seconds)

    monkeypatch.setattr("bff.following.waiting.FIRST_PAUSE", 0.05)
    monkeypatch.setattr("bff.following.waiting.PAUSE", (0.01, 0.1))
    monkeypatch.setattr("bff.following.waiting.time.sleep", fake_sleep)
    monkeypatch.setattr("bff.following.waiting.time.monotonic", lambda: clock)
    assert len(list(waiting.polls(5))) == len(pauses) + 1
    assert pauses[:2] == [0.05, 0.01]
    assert max(pauses) == 0.1
    assert clock == pytest.approx(5)
