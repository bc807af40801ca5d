"""Who may do what, how often, and from which web pages."""

import time
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bff.app import crear_app
from bff.autenticacion import Autenticacion
from bff.permisos import ABIERTAS, ALCANCES
from bff.ritmo import Ritmo
from tests.fakes import LecturasFalsas, PublicadorFalso
from tests.unit.test_bff_comandos import ID, ORDEN, problema
from tests.unit.test_bff_consultas import FILA, PASO
from tests.unit.test_bff_openapi import rutas

SECRETO = "un-secreto-de-pruebas-de-32-bytes"
CUERPOS: dict[str, Any] = {"/orders": ORDEN, "/productos": {"nombre": "Té", "stock": 3}, "/conductores": {}}
DE_ANA = {**FILA, "user_id": "ana"}


def token(sub: str = "ana", *alcances: str) -> dict[str, str]:
    """The header of a caller with these scopes."""
    claims = {"sub": sub, "exp": time.time() + 86_400, "scope": " ".join(alcances)}
    return {"Authorization": f"Bearer {jwt.encode(claims, SECRETO, 'HS256')}"}


@pytest.fixture
def publicador() -> PublicadorFalso:
    return PublicadorFalso()


@pytest.fixture
def cliente(publicador: PublicadorFalso) -> FlaskClient:
    lecturas = LecturasFalsas(las_ordenes=[DE_ANA], pasos=[{**PASO, "id_mensaje": str(uuid4())}])
    return crear_app(publicador, lecturas, autenticacion=Autenticacion(secreto=SECRETO)).test_client()


def pedir(cliente: FlaskClient, operacion: str, cabeceras: dict[str, str]) -> TestResponse:
    metodo, ruta = operacion.split(" ")
    ruta = (
        ruta.replace("{id_orden}", str(DE_ANA["id_orden"])).replace("{id_producto}", ID).replace("{id_conductor}", ID)
    )
    return cliente.open(ruta, method=metodo, json=CUERPOS.get(ruta), headers=cabeceras)


def test_every_operation_has_a_scope_or_is_open(cliente: FlaskClient) -> None:
    servidas = {f"{metodo} {camino}" for camino, metodos in rutas(cliente.application).items() for metodo in metodos}
    assert servidas == ALCANCES.keys() | {f"GET {camino}" for camino in ABIERTAS}


@pytest.mark.parametrize("operacion", ALCANCES)
def test_without_a_token_nothing_is_done(cliente: FlaskClient, publicador: PublicadorFalso, operacion: str) -> None:
    respuesta = pedir(cliente, operacion, {})
    assert "Bearer TOKEN" in problema(respuesta, 401)["detail"]
    assert respuesta.headers["WWW-Authenticate"] == 'Bearer realm="orders"'
    vencido = pedir(cliente, operacion, {"Authorization": f"Bearer {jwt.encode({'sub': 'a', 'exp': 1}, SECRETO)}"})
    assert 'error="invalid_token"' in problema_y_cabecera(vencido)
    assert publicador.publicados == []


def problema_y_cabecera(respuesta: TestResponse) -> str:
    assert "has expired" in problema(respuesta, 401)["detail"]
    return respuesta.headers["WWW-Authenticate"]


@pytest.mark.parametrize("operacion", [operacion for operacion, alcance in ALCANCES.items() if alcance])
def test_every_other_scope_is_not_enough(cliente: FlaskClient, publicador: PublicadorFalso, operacion: str) -> None:
    otros = {*ALCANCES.values(), "ordenes:administrar"} - {ALCANCES[operacion]}
    assert ALCANCES[operacion] in problema(pedir(cliente, operacion, token("ana", *otros)), 403)["detail"]
    assert publicador.publicados == []


@pytest.mark.parametrize("operacion", ALCANCES)
def test_its_scope_is_enough(cliente: FlaskClient, operacion: str) -> None:
    assert pedir(cliente, operacion, token("ana", ALCANCES[operacion])).status_code in (200, 202, 404)


@pytest.mark.parametrize("ruta", ["/orders/{}", "/orders/{}/saga", "/orders/{}/events"])
def test_a_customer_does_not_learn_that_others_have_orders(
    cliente: FlaskClient, ruta: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bff.eventos.MAXIMA", 0.05)
    camino = ruta.format(DE_ANA["id_orden"])
    ajena = cliente.get(camino, headers=token("eva", "ordenes:leer"))
    sin_orden = cliente.get(ruta.format(uuid4()), headers=token("eva", "ordenes:leer"))
    textos = [problema(r, 404)["detail"].replace(r.request.path.split("/")[2], "this one") for r in (ajena, sin_orden)]
    assert textos[0] == textos[1]
    assert cliente.get(camino, headers=token("ana", "ordenes:leer")).status_code == 200
    assert cliente.get(camino, headers=token("eva", "ordenes:leer", "ordenes:administrar")).status_code == 200


@pytest.mark.parametrize(
    ("quien", "consulta", "filtro"),
    [
        (token("ana", "ordenes:leer"), "", "ana"),
        (token("ana", "ordenes:leer"), "?user_id=ana", "ana"),
        (token("root", "ordenes:leer", "ordenes:administrar"), "", None),
        (token("root", "ordenes:leer", "ordenes:administrar"), "?user_id=ana", "ana"),
    ],
)
def test_lists_are_of_the_caller_s_own_orders(quien: dict[str, str], consulta: str, filtro: str | None) -> None:
    lecturas = LecturasFalsas()
    app = crear_app(PublicadorFalso(), lecturas, autenticacion=Autenticacion(secreto=SECRETO))
    assert app.test_client().get(f"/orders{consulta}", headers=quien).status_code == 200
    assert [filtros.get("user_id") for _, filtros, _ in lecturas.pedidos] == [filtro]


def test_the_orders_of_others_are_an_empty_list(cliente: FlaskClient) -> None:
    assert cliente.get("/orders?user_id=ana", headers=token("eva", "ordenes:leer")).json == []


def test_who_may_place_orders_for_whom(cliente: FlaskClient, publicador: PublicadorFalso) -> None:
    ajena = cliente.post("/orders", json=ORDEN, headers=token("eva", "ordenes:crear"))
    assert "user_id is 'ana'" in problema(ajena, 403)["detail"]
    assert publicador.publicados == []
    for quien in (token("ana", "ordenes:crear"), token("root", "ordenes:crear", "ordenes:administrar")):
        assert cliente.post("/orders", json=ORDEN, headers=quien).status_code == 202


def test_two_callers_with_the_same_key_get_orders_of_their_own(cliente: FlaskClient) -> None:
    ids = set()
    for quien in ("ana", "eva", "ana"):
        cabeceras = token(quien, "ordenes:crear") | {"Idempotency-Key": "la-misma"}
        respuesta = cliente.post("/orders", json={**ORDEN, "user_id": quien}, headers=cabeceras)
        ids.add(UUID((respuesta.json or {})["id_orden"]))
    assert len(ids) == 2


@pytest.mark.parametrize("ruta", [*ABIERTAS, "/health/"])
def test_what_is_open_needs_no_token_and_is_not_counted(ruta: str) -> None:
    app = crear_app(
        PublicadorFalso(), LecturasFalsas(), autenticacion=Autenticacion(secreto=SECRETO), ritmo=Ritmo("1/hour")
    )
    assert [app.test_client().get(ruta).status_code for _ in range(3)] == [200] * 3


def test_who_asks_too_often_is_told_when_to_come_again() -> None:
    app = crear_app(PublicadorFalso(), LecturasFalsas(), ritmo=Ritmo("2/hour"))
    uno, otro = ({"REMOTE_ADDR": f"10.0.0.{n}"} for n in (1, 2))
    estados = [app.test_client().get("/productos", environ_base=quien).status_code for quien in (uno, uno, uno, otro)]
    assert estados == [200, 200, 429, 200]
    respuesta = app.test_client().get("/productos", environ_base=uno)
    assert "2 per 1 hour" in problema(respuesta, 429)["detail"]
    assert 1 <= int(respuesta.headers["Retry-After"]) <= 7200


def test_users_are_counted_wherever_they_are_and_the_unknown_by_their_address() -> None:
    app = crear_app(
        PublicadorFalso(), LecturasFalsas(), autenticacion=Autenticacion(secreto=SECRETO), ritmo=Ritmo("1/hour")
    )

    def estado(direccion: str, cabeceras: dict[str, str]) -> int:
        base = {"REMOTE_ADDR": direccion}
        return app.test_client().get("/productos", environ_base=base, headers=cabeceras).status_code

    assert [estado("10.0.0.1", token("ana")), estado("10.0.0.2", token("ana"))] == [200, 429]
    assert [estado("10.0.0.1", {}), estado("10.0.0.1", {}), estado("10.0.0.2", {})] == [401, 429, 401]
    assert estado("10.0.0.1", token("eva")) == 200


def test_web_pages_of_the_configured_origins_may_use_the_api_and_others_not() -> None:
    app = crear_app(
        PublicadorFalso(),
        LecturasFalsas(),
        autenticacion=Autenticacion(secreto=SECRETO),
        origenes=["https://tienda.example"],
    )
    pide = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, idempotency-key"}
    previa = app.test_client().options("/orders", headers={"Origin": "https://tienda.example", **pide})
    assert previa.status_code == 200
    assert previa.headers["Access-Control-Allow-Origin"] == "https://tienda.example"
    permitidas = {nombre.lower() for nombre in previa.headers["Access-Control-Allow-Headers"].split(", ")}
    assert permitidas == {"authorization", "idempotency-key"}
    error = app.test_client().post("/orders", headers={"Origin": "https://tienda.example"})
    assert (error.status_code, error.headers["Access-Control-Allow-Origin"]) == (401, "https://tienda.example")
    assert "X-Request-Id" in error.headers["Access-Control-Expose-Headers"]
    for ajeno in ("https://otra.example", "http://tienda.example", "https://tienda.example.evil", "null"):
        respuesta = app.test_client().options("/orders", headers={"Origin": ajeno, **pide})
        assert "Access-Control-Allow-Origin" not in respuesta.headers


def test_without_configured_origins_no_web_page_may() -> None:
    app = crear_app(PublicadorFalso(), LecturasFalsas())
    respuesta = app.test_client().get("/orders", headers={"Origin": "https://tienda.example"})
    assert "Access-Control-Allow-Origin" not in respuesta.headers
