"""Ready: commands are accepted. What can be read is said, and takes nothing out of service."""

import pytest
from flask.testing import FlaskClient

from bff.app import create_app
from bff.backends.broker import BrokerUnavailable
from bff.backends.read_models import DatabaseUnavailable
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.web.test_commands import problem


@pytest.fixture
def read_models() -> FakeReadModels:
    return FakeReadModels()


@pytest.fixture
def client(publisher: FakePublisher, read_models: FakeReadModels) -> FlaskClient:
    return create_app(publisher, read_models).test_client()


def test_ready_is_more_than_alive(client: FlaskClient, publisher: FakePublisher, read_models: FakeReadModels) -> None:
    there = dict.fromkeys(("saga", "ordenes", "productos", "conductores"), "ok")
    assert client.get("/ready").json == {"status": "ok", "read_models": there}
    publisher.failure = BrokerUnavailable("the broker does not answer", sent=False)
    response = client.get("/ready")
    assert "broker" in problem(response, 503)["detail"]
    assert (response.headers["Retry-After"], (response.json or {})["read_models"]) == ("1", there)
    assert client.get("/health").status_code == 200


def test_databases_that_are_away_take_no_replica_out_of_service(
    client: FlaskClient, read_models: FakeReadModels
) -> None:
    """All replicas have the same ones: without a replica nobody could place orders either."""
    read_models.failure = DatabaseUnavailable("database saga: refused")
    away = dict.fromkeys(("saga", "ordenes", "productos", "conductores"), "away")
    assert client.get("/ready").json == {"status": "ok", "read_models": away}
    assert '\nbff_read_model_up{read_model="saga"} 0.0\n' in client.get("/metrics").text
    read_models.failure = None
    assert '\nbff_read_model_up{read_model="saga"} 1.0\n' in client.get("/metrics").text
