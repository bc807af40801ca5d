"""What the BFF answers to queries: rows, 404 for unknown ids, and 503 while infrastructure is unavailable.

Longer than 200 lines: its tests share one row of each kind.
"""

import logging
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from bff.app import create_app
from bff.backends.broker import BrokerUnavailable
from bff.backends.read_models import DatabaseUnavailable
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.web.test_commands import ID, ORDEN, problem

BOGOTA = timezone(timedelta(hours=-5))
ROW: dict[str, Any] = {
    "id_orden": ID,
    "time_stamp": datetime(2026, 3, 1, 7, 30, 0, 120_000, BOGOTA),
    "estado": "creada",
    "id_driver": None,
}
AS_JSON = {"id_orden": ID, "time_stamp": "2026-03-01T12:30:00.120Z", "estado": "creada", "id_driver": None}
PRODUCTO: dict[str, Any] = {
    "id": ID,
    "nombre": "Té",
    "stock": 3,
    "fecha_creacion": datetime(2026, 3, 1, tzinfo=UTC),
}
PRODUCTO_AS_JSON = PRODUCTO | {"id": ID, "fecha_creacion": "2026-03-01T00:00:00.000Z"}
STEP: dict[str, Any] = {"evento": "comando-crear-orden", "is_compensation": False, "contenido": {"cantidad": 2}}
MOVIMIENTO: dict[str, Any] = {
    "id_producto": ID,
    "version": 2,
    "fecha": datetime(2026, 3, 1, tzinfo=UTC),
    "causa": "ajuste",
    "id_orden": None,
    "id_ajuste": ID,
    "cantidad": -2,
    "stock": 1,
    "motivo": "Inventario",
    "rechazado": False,
}
MOVIMIENTO_AS_JSON = MOVIMIENTO | {"fecha": "2026-03-01T00:00:00.000Z"}
READ_PATHS = (
    *("/orders", f"/orders/{ID}", f"/orders/{ID}/saga"),
    *("/productos", f"/productos/{ID}", f"/productos/{ID}/movimientos"),
)


@pytest.fixture
def read_models() -> FakeReadModels:
    return FakeReadModels([ROW], [PRODUCTO], [STEP], movimiento_rows=[MOVIMIENTO])


@pytest.fixture
def client(publisher: FakePublisher, read_models: FakeReadModels) -> FlaskClient:
    return create_app(publisher, read_models).test_client()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/orders", [AS_JSON]),
        ("/orders/", [AS_JSON]),
        (f"/orders/{ID}", AS_JSON),
        (f"/orders/{ID.upper()}/", AS_JSON),
        (f"/orders/{ID}/saga", [STEP]),
        ("/productos", {"resultado": [PRODUCTO_AS_JSON]}),
        (f"/productos/{ID}", {"resultado": PRODUCTO_AS_JSON}),
        (f"/productos/{ID}/movimientos", {"resultado": [MOVIMIENTO_AS_JSON]}),
        ("/health", {"status": "ok"}),
    ],
)
def test_what_there_is_has_the_original_shape(client: FlaskClient, path: str, body: object) -> None:
    response = client.get(path)
    assert (response.status_code, response.content_type) == (200, "application/json")
    assert response.json == body
    without_body = client.head(path)
    assert (without_body.status_code, without_body.text) == (200, "")


@pytest.mark.parametrize("path", READ_PATHS)
def test_what_has_not_changed_is_not_sent_again(client: FlaskClient, read_models: FakeReadModels, path: str) -> None:
    etag = client.get(path).headers["ETag"]
    for method in (client.get, client.head):
        unchanged = method(path, headers={"If-None-Match": etag})
        assert (unchanged.status_code, unchanged.data, unchanged.headers["ETag"]) == (304, b"", etag)
    assert client.get(path, headers={"If-None-Match": etag, "Accept": "application/xml"}).status_code == 200
    for name in ("orden_rows", "producto_rows", "steps", "movimiento_rows"):
        setattr(read_models, name, [getattr(read_models, name)[0] | {"estado": "iniciada"}])
    assert client.get(path, headers={"If-None-Match": etag}).status_code == 200


def test_a_get_with_a_content_type_and_a_body_is_answered(client: FlaskClient) -> None:
    assert client.get("/productos", data="{}", content_type="application/json").status_code == 200


def test_a_product_without_movements_has_an_empty_list_of_them(
    client: FlaskClient, read_models: FakeReadModels
) -> None:
    read_models.movimiento_rows.clear()
    assert client.get(f"/productos/{ID}/movimientos").json == {"resultado": []}


@pytest.mark.parametrize(
    "path", [f"/orders/{ID}", f"/orders/{ID}/saga", f"/productos/{ID}", f"/productos/{ID}/movimientos"]
)
def test_what_there_is_not_is_a_404_that_names_the_id(path: str) -> None:
    client = create_app(FakePublisher(), FakeReadModels()).test_client()
    assert ID in problem(client.get(path), 404)["detail"]


@pytest.mark.parametrize(
    "path", ["/", "/nada", "/orders/7", "/orders/abc/saga", "/orders/%00", "/orders/..%2f", "/productos/7", "/{0.app}"]
)
def test_odd_paths_are_a_404(client: FlaskClient, path: str) -> None:
    problem(client.get(path), 404)


@pytest.mark.parametrize(("method", "path"), [("PUT", "/orders"), ("DELETE", f"/orders/{ID}"), ("POST", "/health")])
def test_other_methods_are_a_405_that_says_what_is_allowed(client: FlaskClient, method: str, path: str) -> None:
    response = client.open(path, method=method)
    problem(response, 405)
    assert set(response.headers["Allow"].split(", ")) == set(client.options(path).headers["Allow"].split(", "))


@pytest.mark.parametrize("path", ["/orders", "/productos"])
def test_lists_have_a_limit(client: FlaskClient, read_models: FakeReadModels, path: str) -> None:
    read_models.orden_rows, read_models.producto_rows = [ROW] * 1500, [PRODUCTO] * 1500
    for request, rows in (("", 1000), ("?limit=2", 2), ("?limit=1000", 1000), ("?otro=1", 1000)):
        body: Any = client.get(path + request).json
        assert len(body if path == "/orders" else body["resultado"]) == rows


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "", "x", "1.5", "9" * 30])
def test_a_limit_out_of_range_is_refused(client: FlaskClient, limit: str) -> None:
    assert problem(client.get(f"/orders?limit={limit}"), 400)["campo"] == "limit"


@pytest.mark.parametrize("path", READ_PATHS)
def test_a_database_that_is_away_is_a_503(client: FlaskClient, read_models: FakeReadModels, path: str) -> None:
    read_models.failure = DatabaseUnavailable("database saga: password 'secret' refused")
    response = client.get(path)
    assert "secret" not in problem(response, 503)["detail"]
    assert response.headers["Retry-After"] == "1"
    assert client.get("/health").status_code == 200


def test_a_broker_that_is_away_is_a_503_without_ids(client: FlaskClient, publisher: FakePublisher) -> None:
    publisher.failure = BrokerUnavailable("the broker does not answer", sent=False)
    response = client.post("/orders", json=ORDEN)
    assert "id_orden" not in problem(response, 503)
    assert response.headers["Retry-After"] == "1"


@pytest.mark.parametrize("path", [*READ_PATHS, "/nada", "/orders?limit=0"])
def test_every_answer_tells_browsers_not_to_guess_and_caches_to_ask(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-cache")
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_an_order_without_confirmation_is_a_503_with_its_ids(client: FlaskClient, publisher: FakePublisher) -> None:
    publisher.failure = BrokerUnavailable("the broker did not confirm", sent=True)
    document = problem(client.post("/orders", json=ORDEN), 503)
    assert UUID(document["id_orden"]) != UUID(document["transaction_id"])


def test_a_bug_is_a_500_without_its_details(
    client: FlaskClient, read_models: FakeReadModels, caplog: pytest.LogCaptureFixture
) -> None:
    read_models.failure = RuntimeError("secret")
    response = client.get("/orders")
    problem(response, 500)
    assert "secret" not in response.text
    assert "RuntimeError: secret" in caplog.text


def test_each_request_is_one_line_of_log(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bff.access")
    client.get("/nada%0Ade%20nada?clave=x")
    (line,) = caplog.records
    logged = vars(line)
    assert line.message == "GET /nada%0Ade%20nada 404"
    assert (logged["method"], logged["path"], logged["status"]) == ("GET", "/nada%0Ade%20nada", 404)
    assert (logged["client"], logged["user"]) == ("127.0.0.1", None)
    assert 0 < logged["ms"] < 10_000


def test_metrics_say_how_many_orders_are_open_unless_nobody_knows(
    client: FlaskClient, read_models: FakeReadModels
) -> None:
    read_models.conductor_rows = [{"estado": "libre"}, {"estado": "asignado"}, {"estado": "libre"}]
    for estado, number in (("libre", 2), ("asignado", 1), ("retirado", 0)):
        assert f'\nbff_drivers{{estado="{estado}"}} {number}.0\n' in client.get("/metrics").text
    assert "\nbff_open_orders 1.0\n" in client.get("/metrics").text
    assert "\nbff_oldest_open_order_seconds 0.0\n" in client.get("/metrics").text
    read_models.orden_rows = [{**ROW, "estado": "despachada"}]
    assert "\nbff_dispatched_orders 1.0\n" in client.get("/metrics").text
    assert "\nbff_oldest_dispatched_order_seconds 0.0\n" in client.get("/metrics").text
    read_models.failure = DatabaseUnavailable("away")
    output = client.get("/metrics")
    assert (output.status_code, "bff_open_orders" in output.text, "bff_drivers{" in output.text) == (200, False, False)
    assert "bff_request_seconds_count{" in output.text
