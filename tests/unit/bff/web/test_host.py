"""RFC 9112: HTTP/1.1 has exactly one header Host, with a host in it."""

import pytest

from bff.app import create_app
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.web.test_commands import ID, ORDEN, problem


@pytest.mark.parametrize("path", ["/health", "/orders", "/metrics", f"/orders/{ID}/events", "/nada", "/panel"])
@pytest.mark.parametrize(
    "host", ["", " ", "a,b", "a b", "a/b", "u@a", "á"]
)  # granian joins several, and has "" for none
def test_a_request_without_a_host_is_refused(path: str, host: str) -> None:
    client = create_app(FakePublisher(), FakeReadModels()).test_client()
    assert "Host" in problem(client.get(path, environ_overrides={"HTTP_HOST": host}), 400)["detail"]


@pytest.mark.parametrize("host", ["localhost", "shop.example:8443", "[::1]:3000", "my_bff", "10.0.0.7"])
def test_any_host_will_do(host: str) -> None:
    client = create_app(FakePublisher(), FakeReadModels()).test_client()
    assert client.post("/orders", json=ORDEN, environ_overrides={"HTTP_HOST": host}).status_code == 202


def test_http_1_0_needs_none() -> None:
    client = create_app(FakePublisher(), FakeReadModels()).test_client()
    old = {"HTTP_HOST": "", "SERVER_PROTOCOL": "HTTP/1"}
    assert client.get("/health", environ_overrides=old).status_code == 200
