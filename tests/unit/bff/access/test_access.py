"""Who may do what, and from which web pages."""

import time
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from bff.access.scopes import ALTERNATIVES, PUBLIC_ROUTES, SCOPES
from bff.access.tokens import Authentication
from bff.app import create_app
from bff.panel.routes import FILES
from tests.support import through_door
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.contract.test_openapi import routes
from tests.unit.bff.web.test_commands import ID, ORDEN, problem
from tests.unit.bff.web.test_queries import ROW, STEP

SECRET = "un-secreto-de-pruebas-de-32-bytes"
BODIES: dict[str, Any] = {"/orders": ORDEN, "/productos": {"nombre": "Té", "stock": 3}, "/conductores": {}}
ROW_OF_ANA = {**ROW, "user_id": "ana", "transaction_id": ID}
BODIES[f"/conductores/{ID}"] = {"nombre": "Ana"}
BODIES[f"/orders/{ROW_OF_ANA['id_orden']}/devolucion"] = {"motivo": "Nadie en casa"}
BODIES[f"/productos/{ID}"] = {"nombre": "Té"}
BODIES[f"/productos/{ID}/stock"] = {"cantidad": -1, "motivo": "Inventario"}


def token(sub: str = "ana", *scopes: str) -> dict[str, str]:
    """The header Authorization of a caller with these scopes."""
    claims = {"sub": sub, "exp": time.time() + 86_400, "scope": " ".join(scopes)}
    return {"Authorization": f"Bearer {jwt.encode(claims, SECRET, 'HS256')}"}


@pytest.fixture
def app(publisher: FakePublisher) -> Flask:
    read_models = FakeReadModels(orden_rows=[ROW_OF_ANA], steps=[{**STEP, "id_mensaje": str(uuid4())}])
    return create_app(publisher, read_models, authentication=Authentication(secret=SECRET))


@pytest.fixture
def client(app: Flask) -> Client:
    return through_door.client(app)


def request(client: Client, operation: str, headers: dict[str, str]) -> TestResponse:
    method, path = operation.split(" ")
    path = (
        path.replace("{id_orden}", str(ROW_OF_ANA["id_orden"]))
        .replace("{id_producto}", ID)
        .replace("{id_conductor}", ID)
    )
    return client.open(path, method=method, json=BODIES.get(path), headers=headers)


def test_every_operation_has_a_scope_or_is_open(app: Flask) -> None:
    served = {f"{method} {url_path}" for url_path, methods in routes(app).items() for method in methods}
    assert served == SCOPES.keys() | {f"GET {url_path}" for url_path in (*PUBLIC_ROUTES, *FILES)}


@pytest.mark.parametrize("operation", SCOPES)
def test_without_a_token_nothing_is_done(client: Client, publisher: FakePublisher, operation: str) -> None:
    response = request(client, operation, {})
    assert "Bearer TOKEN" in problem(response, 401)["detail"]
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="orders"'
    expired = request(client, operation, {"Authorization": f"Bearer {jwt.encode({'sub': 'a', 'exp': 1}, SECRET)}"})
    assert 'error="invalid_token"' in problem_and_header(expired)
    assert publisher.published == []


def problem_and_header(response: TestResponse) -> str:
    assert "has expired" in problem(response, 401)["detail"]
    return response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("operation", [operation for operation, scope in SCOPES.items() if scope])
def test_every_other_scope_is_not_enough(client: Client, publisher: FakePublisher, operation: str) -> None:
    others = {*SCOPES.values(), "ordenes:administrar"} - {SCOPES[operation], *ALTERNATIVES.get(operation, ())}
    assert SCOPES[operation] in problem(request(client, operation, token("ana", *others)), 403)["detail"]
    assert publisher.published == []


@pytest.mark.parametrize("operation", SCOPES)
def test_its_scope_is_enough(client: Client, operation: str) -> None:
    for scope in (SCOPES[operation], *ALTERNATIVES.get(operation, ())):
        assert request(client, operation, token("ana", scope)).status_code in (200, 202, 404)


@pytest.mark.parametrize("path", ["/orders/{}", "/orders/{}/saga", "/orders/{}/events"])
def test_a_customer_does_not_learn_that_others_have_orders(
    client: Client, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bff.following.event_stream.LONGEST", 0.05)
    url_path = path.format(ROW_OF_ANA["id_orden"])
    foreign = client.get(url_path, headers=token("eva", "ordenes:leer"))
    missing = client.get(path.format(uuid4()), headers=token("eva", "ordenes:leer"))
    texts = [problem(r, 404)["detail"].replace(r.request.path.split("/")[2], "this one") for r in (foreign, missing)]
    assert texts[0] == texts[1]
    assert client.get(url_path, headers=token("ana", "ordenes:leer")).status_code == 200
    assert client.get(url_path, headers=token("eva", "ordenes:leer", "ordenes:administrar")).status_code == 200


@pytest.mark.parametrize(
    ("who", "query", "filtered_user"),
    [
        (token("ana", "ordenes:leer"), "", "ana"),
        (token("ana", "ordenes:leer"), "?user_id=ana", "ana"),
        (token("root", "ordenes:leer", "ordenes:administrar"), "", None),
        (token("root", "ordenes:leer", "ordenes:administrar"), "?user_id=ana", "ana"),
    ],
)
def test_lists_are_of_the_caller_s_own_orders(who: dict[str, str], query: str, filtered_user: str | None) -> None:
    read_models = FakeReadModels()
    app = create_app(FakePublisher(), read_models, authentication=Authentication(secret=SECRET))
    assert through_door.client(app).get(f"/orders{query}", headers=who).status_code == 200
    assert [filters.get("user_id") for _, filters, _ in read_models.requests] == [filtered_user]


def test_the_orders_of_others_are_an_empty_list(client: Client) -> None:
    assert client.get("/orders?user_id=ana", headers=token("eva", "ordenes:leer")).json == []


def test_who_may_place_orders_for_whom(client: Client, publisher: FakePublisher) -> None:
    foreign = client.post("/orders", json=ORDEN, headers=token("eva", "ordenes:crear"))
    assert "user_id is 'ana'" in problem(foreign, 403)["detail"]
    assert publisher.published == []
    for who in (token("ana", "ordenes:crear"), token("root", "ordenes:crear", "ordenes:administrar")):
        assert client.post("/orders", json=ORDEN, headers=who).status_code == 202


def test_two_callers_with_the_same_key_get_orders_of_their_own(client: Client) -> None:
    ids = set()
    for who in ("ana", "eva", "ana"):
        headers = token(who, "ordenes:crear") | {"Idempotency-Key": "la-misma"}
        response = client.post("/orders", json={**ORDEN, "user_id": who}, headers=headers)
        ids.add(UUID((response.json or {})["id_orden"]))
    assert len(ids) == 2


def test_web_pages_of_the_configured_origins_may_use_the_api_and_others_not() -> None:
    app = create_app(
        FakePublisher(),
        FakeReadModels(),
        authentication=Authentication(secret=SECRET),
        origins=["https://tienda.example"],
    )
    preflight_headers = {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, idempotency-key",
    }
    preflight = app.test_client().options("/orders", headers={"Origin": "https://tienda.example", **preflight_headers})
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://tienda.example"
    allowed = {name.lower() for name in preflight.headers["Access-Control-Allow-Headers"].split(", ")}
    assert allowed == {"authorization", "idempotency-key"}
    error = app.test_client().post("/orders", headers={"Origin": "https://tienda.example"})
    assert (error.status_code, error.headers["Access-Control-Allow-Origin"]) == (401, "https://tienda.example")
    assert "X-Request-Id" in error.headers["Access-Control-Expose-Headers"]
    for foreign in ("https://otra.example", "http://tienda.example", "https://tienda.example.evil", "null"):
        response = app.test_client().options("/orders", headers={"Origin": foreign, **preflight_headers})
        assert "Access-Control-Allow-Origin" not in response.headers


def test_without_configured_origins_no_web_page_may() -> None:
    app = create_app(FakePublisher(), FakeReadModels())
    response = app.test_client().get("/orders", headers={"Origin": "https://tienda.example"})
    assert "Access-Control-Allow-Origin" not in response.headers
