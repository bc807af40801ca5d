"""How often clients may ask: all but liveness counts, for a user or for an address."""

from typing import Any

import pytest

from bff.access.rate import RateLimit
from bff.access.scopes import PUBLIC_ROUTES
from bff.access.tokens import Authentication
from bff.app import create_app
from bff.panel.routes import FILES
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.access.test_access import SECRET, token
from tests.unit.bff.web.test_commands import problem


@pytest.mark.parametrize("path", [*PUBLIC_ROUTES, *FILES, "/health/"])
def test_what_is_open_needs_no_token_and_counts_for_the_address_unless_it_is_liveness(path: str) -> None:
    app = create_app(
        FakePublisher(), FakeReadModels(), authentication=Authentication(secret=SECRET), rate_limit=RateLimit("1/hour")
    )
    statuses = [app.test_client().get(path).status_code for _ in range(3)]
    assert statuses == ([200] * 3 if path.startswith("/health") else [200, 429, 429])
    assert app.test_client().get(path, environ_base={"REMOTE_ADDR": "10.0.0.2"}).status_code == 200


@pytest.mark.parametrize(
    "refused",
    [
        {"path": "/nada"},
        {"path": "/health", "method": "POST"},
        {"path": "/orders", "method": "OPTIONS"},
        {"path": "/ready", "headers": {"Accept": "image/png"}},
        {"path": "/ready", "headers": {"Accept": "a/b," * 20_000}},
        {"path": "/productos", "environ_overrides": {"HTTP_HOST": "", "SERVER_PROTOCOL": "HTTP/1.1"}},
    ],
    ids=["path", "method", "options", "accept", "long accept", "host"],
)
def test_what_is_refused_counts_too(refused: dict[str, Any]) -> None:
    app = create_app(FakePublisher(), FakeReadModels(), rate_limit=RateLimit("1/hour"))
    first, second = (app.test_client().open(**refused).status_code for _ in range(2))
    assert first != 429
    assert second == 429


def test_who_asks_too_often_is_told_when_to_come_again() -> None:
    app = create_app(FakePublisher(), FakeReadModels(), rate_limit=RateLimit("2/hour"))
    one, other = ({"REMOTE_ADDR": f"10.0.0.{n}"} for n in (1, 2))
    statuses = [app.test_client().get("/productos", environ_base=who).status_code for who in (one, one, one, other)]
    assert statuses == [200, 200, 429, 200]
    response = app.test_client().get("/productos", environ_base=one)
    assert "2 per 1 hour" in problem(response, 429)["detail"]
    assert 1 <= int(response.headers["Retry-After"]) <= 7200


def test_users_are_counted_wherever_they_are_and_the_unknown_by_their_address() -> None:
    app = create_app(
        FakePublisher(), FakeReadModels(), authentication=Authentication(secret=SECRET), rate_limit=RateLimit("1/hour")
    )

    def status(address: str, headers: dict[str, str]) -> int:
        base = {"REMOTE_ADDR": address}
        return app.test_client().get("/productos", environ_base=base, headers=headers).status_code

    assert [status("10.0.0.1", token("ana")), status("10.0.0.2", token("ana"))] == [200, 429]
    assert [status("10.0.0.1", {}), status("10.0.0.1", {}), status("10.0.0.2", {})] == [401, 429, 401]
    assert status("10.0.0.1", token("eva")) == 200
