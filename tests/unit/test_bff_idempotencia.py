"""Idempotency-Key: the same request leads to the same ids and the same message, whichever BFF gets it."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from bff.app import crear_app
from functions.comun.codec import codec
from functions.comun.mensajes import Datos, Mensaje
from tests.fakes import LecturasFalsas, PublicadorFalso
from tests.unit.test_bff_comandos import ORDEN, problema

CLAVE = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
CUERPOS: dict[str, dict[str, Any]] = {
    "/orders": ORDEN,
    "/productos": {"nombre": "Té", "stock": 3},
    "/conductores": {"nombre": "Ana"},
}


@pytest.fixture
def publicador() -> PublicadorFalso:
    return PublicadorFalso()


def bff(publicador: PublicadorFalso, lecturas: LecturasFalsas | None = None) -> FlaskClient:
    """A new one each time: nothing is kept between requests."""
    return crear_app(publicador, lecturas or LecturasFalsas()).test_client()


def mensajes(publicador: PublicadorFalso) -> list[Mensaje[Datos]]:
    return [codec(publicado.topic).decodificar(publicado.crudo) for publicado in publicador.publicados]


@pytest.mark.parametrize("ruta", CUERPOS)
def test_the_same_request_again_is_the_same_message_with_the_same_answer(
    publicador: PublicadorFalso, ruta: str
) -> None:
    respuestas = [bff(publicador).post(ruta, json=CUERPOS[ruta], headers=CLAVE) for _ in range(3)]
    assert {respuesta.status_code for respuesta in respuestas} == {202}
    assert len({respuesta.data for respuesta in respuestas}) == 1
    assert len({respuesta.headers.get("Location") for respuesta in respuestas}) == 1
    assert len({mensaje.id for mensaje in mensajes(publicador)}) == 1
    assert len({publicado.clave for publicado in publicador.publicados}) == 1


@pytest.mark.parametrize("ruta", CUERPOS)
def test_without_a_key_or_with_another_one_each_request_is_new(publicador: PublicadorFalso, ruta: str) -> None:
    for cabeceras in ({}, {}, CLAVE, {"Idempotency-Key": "otra"}):
        bff(publicador).post(ruta, json=CUERPOS[ruta], headers=cabeceras)
    assert len({mensaje.id for mensaje in mensajes(publicador)}) == 4
    assert len({publicado.clave for publicado in publicador.publicados}) == 4


def test_a_key_means_nothing_on_another_route_and_quotes_around_it_nothing_at_all(publicador: PublicadorFalso) -> None:
    entre_comillas = {"Idempotency-Key": f'"{CLAVE["Idempotency-Key"]}"'}
    for ruta, cabeceras in (("/orders", CLAVE), ("/orders/", entre_comillas), ("/productos", CLAVE)):
        assert bff(publicador).post(ruta, json=CUERPOS[ruta.rstrip("/")], headers=cabeceras).status_code == 202
    una, otra, producto = (publicado.clave for publicado in publicador.publicados)
    assert una == otra != producto


def test_another_body_before_the_first_can_be_read_is_another_message_about_the_same_order(
    publicador: PublicadorFalso,
) -> None:
    """The function finds the order there and leaves it as it is."""
    for cantidad in (2, 3):
        assert bff(publicador).post("/orders", json=ORDEN | {"cantidad": cantidad}, headers=CLAVE).status_code == 202
    primero, segundo = mensajes(publicador)
    assert primero.id != segundo.id
    assert publicador.publicados[0].clave == publicador.publicados[1].clave


@pytest.mark.parametrize(
    ("ruta", "campo", "valor"),
    [("/orders", "cantidad", 3), ("/orders", "instrucciones_entrega", "Tocar"), ("/productos", "nombre", "Café")],
)
def test_another_body_under_the_key_of_something_that_can_be_read_is_refused(
    publicador: PublicadorFalso, ruta: str, campo: str, valor: object
) -> None:
    cuerpo = CUERPOS[ruta]
    bff(publicador).post(ruta, json=cuerpo, headers=CLAVE)
    id_hecho = publicador.publicados[0].clave
    fila = {"instrucciones_entrega": None, **cuerpo, "id_orden": id_hecho, "id": id_hecho}
    lecturas = LecturasFalsas([fila], [fila])
    respuesta = bff(publicador, lecturas).post(ruta, json=cuerpo | {campo: valor}, headers=CLAVE)
    assert campo in problema(respuesta, 422)["detail"]
    assert len(publicador.publicados) == 1
    assert bff(publicador, lecturas).post(ruta, json=cuerpo, headers=CLAVE).status_code == 202


@pytest.mark.parametrize("clave", ["", " ", "a b", "á", "x" * 256, "a\x7f"])
def test_what_can_be_no_key_is_refused(publicador: PublicadorFalso, clave: str) -> None:
    respuesta = bff(publicador).post("/orders", json=ORDEN, headers={"Idempotency-Key": clave})
    assert "Idempotency-Key" in problema(respuesta, 400)["detail"]
    assert publicador.publicados == []
