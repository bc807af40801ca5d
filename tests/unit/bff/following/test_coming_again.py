"""Event streams that don't wait: what browsers, whose EventSource gives up at any error, get instead of one."""

from typing import Any

import pytest
from flask import Flask

from bff.access.rate import RateLimit
from bff.app import create_app
from bff.backends.read_models import DatabaseUnavailable
from tests.support import through_door
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.following.test_event_stream import (
    CREADA,
    EVENTS_PATH,
    INICIADA,
    STEPS,
    _short_waits,  # noqa: F401 - a fixture
    app_with,
    names,
)
from tests.unit.bff.web.test_commands import problem


def test_one_too_many_is_told_to_come_again_without_a_look_at_the_databases() -> None:
    app = app_with((INICIADA, STEPS), wait_slots=0)
    response = through_door.client(app).get(EVENTS_PATH, headers={"Accept": "text/event-stream"})
    assert (response.status_code, response.text.split("\n")[1:]) == (200, ["retry: 3000", "", ""])
    assert services_of(app).read_models.observation_index == -1


def services_of(app: Flask) -> Any:
    return app.extensions["bff"]


@pytest.mark.parametrize("accept", ["text/event-stream", "text/event-stream; charset=utf-8, */*;q=0"])
def test_a_browser_is_told_to_come_again_where_others_get_an_error(accept: str) -> None:
    """EventSource gives up for ever at any status but 200."""
    read_models = FakeReadModels(failure=DatabaseUnavailable("saga"))
    client = through_door.client(
        create_app(FakePublisher(), read_models, max_waiting=1, rate_limit=RateLimit("1/hour"))
    )
    for text in ("database", "1 per 1 hour"):
        response = client.get(EVENTS_PATH, headers={"Accept": accept})
        assert (response.status_code, response.mimetype) == (200, "text/event-stream")
        comment, retry, *_ = response.text.split("\n")
        assert comment.startswith(": ")
        assert text in comment
        assert int(retry.removeprefix("retry: ")) >= 1000
    problem(client.get("/orders", headers={"Accept": "application/json"}), 429)


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/event-stream, application/json"])
def test_who_can_read_errors_gets_them(accept: str | None) -> None:
    client = through_door.client(create_app(FakePublisher(), FakeReadModels(failure=DatabaseUnavailable("saga"))))
    response = client.get(EVENTS_PATH, headers={"Accept": accept} if accept else {})
    assert (problem(response, 503)["status"], response.headers["Retry-After"]) == (503, "1")


def test_streams_are_passed_on_at_once_and_written_to_while_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bff.following.event_stream.ALIVE_EVERY", 0.02)
    response = through_door.client(app_with((CREADA, STEPS[:1]))).get(EVENTS_PATH)
    assert response.headers["X-Accel-Buffering"] == "no"
    assert response.text.count(": waiting\n\n") >= 2
    assert names(response) == ["comando-crear-orden"]
