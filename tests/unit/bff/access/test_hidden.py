"""What customers don't see of their own orders: operators' names, and the texts of errors."""

import json
from typing import Any

import pytest
from werkzeug.test import Client

from bff.access.tokens import Authentication
from bff.app import create_app
from bff.backends.broker import Broker, BrokerUnavailable
from tests.support import through_door
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.access.test_access import ROW_OF_ANA, SECRET, token
from tests.unit.bff.backends.test_broker import SlowClient
from tests.unit.bff.web.test_commands import ID, ORDEN, problem

SECRETS = ("olga@example.org", "InvalidMessage", "persistent://", "(12,0,-1,-1)")
QUARANTINE: dict[str, Any] = {
    "id_mensaje": ID,
    "evento": "evento-cuarentena",
    "is_compensation": False,
    "contenido": {
        "funcion": "productos/disminuir-stock",
        "origen": "persistent://monoliticas/productos/comando-disminuir-stock",
        "id_mensaje": "(12,0,-1,-1)",
        "accion": "reenviado",
        "motivo": "InvalidMessage: cantidad is 0",
        "operador": "olga@example.org",
        "id_orden": ID,
        "transaction_id": ID,
    },
}
STEP: dict[str, Any] = {
    "id_mensaje": ID.replace("6f", "7f"),
    "evento": "comando-revertir-orden-creada",
    "is_compensation": True,
    "contenido": {"motivo": "stock insuficiente"},
}
PATHS = (f"/orders/{ID}/saga", f"/orders/{ID}/events")


@pytest.fixture
def client() -> Client:
    orden = {**ROW_OF_ANA, "estado": "fallida", "motivo": "stock insuficiente"}
    read_models = FakeReadModels([orden], [], [QUARANTINE, STEP])
    return through_door.client(create_app(FakePublisher(), read_models, authentication=Authentication(secret=SECRET)))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("accept", ["application/json", "application/xml"])
def test_a_customer_sees_that_there_was_a_quarantine_and_no_more(client: Client, path: str, accept: str) -> None:
    text = client.get(path, headers={**token("ana", "ordenes:leer"), "Accept": accept}).text
    assert "reenviado" in text
    assert "stock insuficiente" in text
    assert not [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize("path", PATHS)
def test_an_operator_sees_all(client: Client, path: str) -> None:
    text = client.get(path, headers=token("root", "ordenes:leer", "ordenes:administrar")).text
    assert all(secret in text for secret in SECRETS)
    assert json.dumps(QUARANTINE["contenido"], separators=(",", ":")) in text


def test_what_the_broker_s_client_says_is_not_told() -> None:
    down = SlowClient()
    down.down = True
    app = create_app(Broker(down), FakeReadModels())
    for _ in range(2):
        assert "TimeOut" not in problem(through_door.client(app).post("/orders", json=ORDEN), 503)["detail"]


def test_nor_why_it_is_not_ready() -> None:
    publisher = FakePublisher(failure=BrokerUnavailable("the broker does not answer", sent=False))
    publisher.failure.__cause__ = ConnectionError("10.0.0.7 refused")  # type: ignore[union-attr]
    assert "10.0.0.7" not in through_door.client(create_app(publisher, FakeReadModels())).get("/ready").text
