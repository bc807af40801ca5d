"""What the BFF answers: reads, unknown things, and infrastructure that is away."""

import logging
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from bff.app import crear_app
from bff.broker import SinBroker
from bff.lecturas import SinBaseDeDatos
from tests.fakes import LecturasFalsas, PublicadorFalso
from tests.unit.test_bff_comandos import ID, ORDEN, problema

BOGOTA = timezone(timedelta(hours=-5))
FILA: dict[str, Any] = {
    "id_orden": ID,
    "time_stamp": datetime(2026, 3, 1, 7, 30, 0, 120_000, BOGOTA),
    "estado": "creada",
    "id_driver": None,
}
EN_JSON = {"id_orden": ID, "time_stamp": "2026-03-01T12:30:00.120Z", "estado": "creada", "id_driver": None}
PRODUCTO: dict[str, Any] = {
    "id": ID,
    "nombre": "Té",
    "stock": 3,
    "fecha_creacion": datetime(2026, 3, 1, tzinfo=UTC),
}
PRODUCTO_EN_JSON = PRODUCTO | {"id": ID, "fecha_creacion": "2026-03-01T00:00:00.000Z"}
PASO: dict[str, Any] = {"evento": "comando-crear-orden", "is_compensation": False, "contenido": {"cantidad": 2}}
RUTAS_DE_LECTURA = ("/orders", f"/orders/{ID}", f"/orders/{ID}/saga", "/productos", f"/productos/{ID}")


@pytest.fixture
def lecturas() -> LecturasFalsas:
    return LecturasFalsas([FILA], [PRODUCTO], [PASO])


@pytest.fixture
def publicador() -> PublicadorFalso:
    return PublicadorFalso()


@pytest.fixture
def cliente(publicador: PublicadorFalso, lecturas: LecturasFalsas) -> FlaskClient:
    return crear_app(publicador, lecturas).test_client()


@pytest.mark.parametrize(
    ("ruta", "cuerpo"),
    [
        ("/orders", [EN_JSON]),
        ("/orders/", [EN_JSON]),
        (f"/orders/{ID}", EN_JSON),
        (f"/orders/{ID.upper()}/", EN_JSON),
        (f"/orders/{ID}/saga", [PASO]),
        ("/productos", {"resultado": [PRODUCTO_EN_JSON]}),
        (f"/productos/{ID}", {"resultado": PRODUCTO_EN_JSON}),
        ("/health", {"status": "ok"}),
    ],
)
def test_what_there_is_has_the_original_shape(cliente: FlaskClient, ruta: str, cuerpo: object) -> None:
    respuesta = cliente.get(ruta)
    assert (respuesta.status_code, respuesta.content_type) == (200, "application/json")
    assert respuesta.json == cuerpo
    sin_cuerpo = cliente.head(ruta)
    assert (sin_cuerpo.status_code, sin_cuerpo.text) == (200, "")


@pytest.mark.parametrize("ruta", RUTAS_DE_LECTURA)
def test_what_has_not_changed_is_not_sent_again(cliente: FlaskClient, lecturas: LecturasFalsas, ruta: str) -> None:
    etag = cliente.get(ruta).headers["ETag"]
    for metodo in (cliente.get, cliente.head):
        igual = metodo(ruta, headers={"If-None-Match": etag})
        assert (igual.status_code, igual.data, igual.headers["ETag"]) == (304, b"", etag)
    assert cliente.get(ruta, headers={"If-None-Match": etag, "Accept": "application/xml"}).status_code == 200
    lecturas.las_ordenes, lecturas.los_productos, lecturas.pasos = (
        [filas[0] | {"estado": "iniciada"}] for filas in (lecturas.las_ordenes, lecturas.los_productos, lecturas.pasos)
    )
    assert cliente.get(ruta, headers={"If-None-Match": etag}).status_code == 200


def test_a_get_with_a_content_type_and_a_body_is_answered(cliente: FlaskClient) -> None:
    assert cliente.get("/productos", data="{}", content_type="application/json").status_code == 200


@pytest.mark.parametrize("ruta", [f"/orders/{ID}", f"/orders/{ID}/saga", f"/productos/{ID}"])
def test_what_there_is_not_is_a_404_that_names_the_id(ruta: str) -> None:
    cliente = crear_app(PublicadorFalso(), LecturasFalsas()).test_client()
    assert ID in problema(cliente.get(ruta), 404)["detail"]


@pytest.mark.parametrize(
    "ruta", ["/", "/nada", "/orders/7", "/orders/abc/saga", "/orders/%00", "/orders/..%2f", "/productos/7", "/{0.app}"]
)
def test_odd_paths_are_a_404(cliente: FlaskClient, ruta: str) -> None:
    problema(cliente.get(ruta), 404)


@pytest.mark.parametrize(("metodo", "ruta"), [("PUT", "/orders"), ("DELETE", f"/orders/{ID}"), ("POST", "/health")])
def test_other_methods_are_a_405_that_says_what_is_allowed(cliente: FlaskClient, metodo: str, ruta: str) -> None:
    respuesta = cliente.open(ruta, method=metodo)
    problema(respuesta, 405)
    assert set(respuesta.headers["Allow"].split(", ")) == set(cliente.options(ruta).headers["Allow"].split(", "))


@pytest.mark.parametrize("ruta", ["/orders", "/productos"])
def test_lists_have_a_limit(cliente: FlaskClient, lecturas: LecturasFalsas, ruta: str) -> None:
    lecturas.las_ordenes, lecturas.los_productos = [FILA] * 1500, [PRODUCTO] * 1500
    for pedido, filas in (("", 1000), ("?limit=2", 2), ("?limit=1000", 1000), ("?otro=1", 1000)):
        cuerpo: Any = cliente.get(ruta + pedido).json
        assert len(cuerpo if ruta == "/orders" else cuerpo["resultado"]) == filas


@pytest.mark.parametrize("limite", ["0", "-1", "1001", "", "x", "1.5", "9" * 30])
def test_a_limit_out_of_range_is_refused(cliente: FlaskClient, limite: str) -> None:
    assert problema(cliente.get(f"/orders?limit={limite}"), 400)["campo"] == "limit"


@pytest.mark.parametrize("ruta", RUTAS_DE_LECTURA)
def test_a_database_that_is_away_is_a_503(cliente: FlaskClient, lecturas: LecturasFalsas, ruta: str) -> None:
    lecturas.fallo = SinBaseDeDatos("database saga: password 'secret' refused")
    respuesta = cliente.get(ruta)
    assert "secret" not in problema(respuesta, 503)["detail"]
    assert respuesta.headers["Retry-After"] == "1"
    assert cliente.get("/health").status_code == 200


def test_a_broker_that_is_away_is_a_503_without_ids(cliente: FlaskClient, publicador: PublicadorFalso) -> None:
    publicador.fallo = SinBroker("the broker does not answer", enviado=False)
    respuesta = cliente.post("/orders", json=ORDEN)
    assert "id_orden" not in problema(respuesta, 503)
    assert respuesta.headers["Retry-After"] == "1"


@pytest.mark.parametrize("ruta", [*RUTAS_DE_LECTURA, "/nada", "/orders?limit=0"])
def test_every_answer_tells_browsers_not_to_guess_and_caches_to_ask(cliente: FlaskClient, ruta: str) -> None:
    cabeceras = cliente.get(ruta).headers
    assert (cabeceras["X-Content-Type-Options"], cabeceras["Cache-Control"]) == ("nosniff", "no-cache")
    assert "default-src 'none'" in cabeceras["Content-Security-Policy"]


def test_ready_is_more_than_alive(cliente: FlaskClient, publicador: PublicadorFalso, lecturas: LecturasFalsas) -> None:
    assert cliente.get("/ready").status_code == 200
    publicador.fallo = SinBroker("the broker does not answer", enviado=False)
    assert "broker" in problema(cliente.get("/ready"), 503)["detail"]
    publicador.fallo, lecturas.fallo = None, SinBaseDeDatos("database saga: refused")
    assert "database" in problema(cliente.get("/ready"), 503)["detail"]
    assert cliente.get("/health").status_code == 200


def test_an_order_without_confirmation_is_a_503_with_its_ids(cliente: FlaskClient, publicador: PublicadorFalso) -> None:
    publicador.fallo = SinBroker("the broker did not confirm", enviado=True)
    documento = problema(cliente.post("/orders", json=ORDEN), 503)
    assert UUID(documento["id_orden"]) != UUID(documento["transaction_id"])


def test_a_bug_is_a_500_without_its_details(
    cliente: FlaskClient, lecturas: LecturasFalsas, caplog: pytest.LogCaptureFixture
) -> None:
    lecturas.fallo = RuntimeError("secret")
    respuesta = cliente.get("/orders")
    problema(respuesta, 500)
    assert "secret" not in respuesta.text
    assert "RuntimeError: secret" in caplog.text


def test_each_request_is_one_line_of_log(cliente: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "bff.accesos")
    cliente.get("/nada%0Ade%20nada?clave=x")
    (linea,) = caplog.records
    dicho = vars(linea)
    assert linea.message == "GET /nada%0Ade%20nada 404"
    assert (dicho["method"], dicho["path"], dicho["status"]) == ("GET", "/nada%0Ade%20nada", 404)
    assert (dicho["client"], dicho["user"]) == ("127.0.0.1", None)
    assert 0 < dicho["ms"] < 10_000


def test_metrics_say_how_many_orders_are_open_unless_nobody_knows(
    cliente: FlaskClient, lecturas: LecturasFalsas
) -> None:
    assert "\nbff_open_orders 1.0\n" in cliente.get("/metrics").text
    assert "\nbff_oldest_open_order_seconds 0.0\n" in cliente.get("/metrics").text
    lecturas.fallo = SinBaseDeDatos("away")
    salida = cliente.get("/metrics")
    assert (salida.status_code, "bff_open_orders" in salida.text) == (200, False)
    assert "bff_request_seconds_count{" in salida.text
