"""Prefer: wait=N: an order's answer comes when its saga has ended, if that is soon."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, request

from bff.app import crear_app
from bff.espera import MAXIMA, preferida
from bff.lecturas import Fila, SinBaseDeDatos
from functions.comun.ids import Id
from tests.fakes import LecturasFalsas, PublicadorFalso
from tests.unit.test_bff_comandos import ORDEN


class LecturasQueCambian(LecturasFalsas):
    """Each look at an order is what `mirada` gives for its number, from 0."""

    mirada: Callable[[int], Fila | None]
    miradas = 0

    def orden(self, id_orden: Id) -> Fila | None:
        fila = self.mirada(self.miradas)
        self.miradas += 1
        return fila and {**fila, "id_orden": id_orden}


def pedir(mirada: Callable[[int], Fila | None], prefer: str | None, esperas: int = 1) -> tuple[Any, LecturasQueCambian]:
    lecturas = LecturasQueCambian()
    lecturas.mirada = mirada
    app = crear_app(PublicadorFalso(), lecturas, max_esperas=esperas)
    return app.test_client().post("/orders", json=ORDEN, headers={"Prefer": prefer} if prefer else {}), lecturas


def test_the_answer_is_the_order_once_it_has_ended() -> None:
    estados: list[Fila | None] = [None, {"estado": "creada"}, {"estado": "fallida", "motivo": "stock insuficiente"}]
    respuesta, _ = pedir(lambda n: estados[n], "wait=5")
    assert (respuesta.status_code, respuesta.headers["Preference-Applied"]) == (200, "wait=5")
    assert (respuesta.json["estado"], respuesta.json["motivo"]) == ("fallida", "stock insuficiente")
    assert respuesta.headers["Content-Location"] == f"/orders/{respuesta.json['id_orden']}"


def test_what_has_not_ended_in_time_is_a_202_as_without_the_preference() -> None:
    antes = time.monotonic()
    respuesta, _ = pedir(lambda _: {"estado": "creada"}, "wait=1")
    assert 1 <= time.monotonic() - antes < 2
    assert (respuesta.status_code, "Preference-Applied" in respuesta.headers) == (202, False)
    assert set(respuesta.json) == {"mssg", "id_orden", "transaction_id"}


def test_nobody_waits_unasked() -> None:
    respuesta, lecturas = pedir(lambda _: None, None)
    assert (respuesta.status_code, lecturas.miradas) == (202, 0)


def test_a_read_model_that_is_away_does_not_make_an_accepted_order_an_error() -> None:
    def mirada(_: int) -> Fila | None:
        raise SinBaseDeDatos("away")

    assert pedir(mirada, "wait=5")[0].status_code == 202


def test_only_so_many_wait_at_once_and_the_others_are_answered() -> None:
    lecturas, dentro, fin = LecturasQueCambian(), threading.Event(), threading.Event()

    def mirada(n: int) -> Fila | None:
        dentro.set()
        return {"estado": "iniciada"} if fin.wait(10) else None

    lecturas.mirada = mirada
    cliente = crear_app(PublicadorFalso(), lecturas, max_esperas=1).test_client
    estados: list[int] = []

    def esperar() -> None:
        estados.append(cliente().post("/orders", json=ORDEN, headers={"Prefer": "wait=9"}).status_code)

    primero = threading.Thread(target=esperar)
    primero.start()
    assert dentro.wait(5)
    assert cliente().post("/orders", json=ORDEN, headers={"Prefer": "wait=9"}).status_code == 202
    fin.set()
    primero.join()
    assert estados == [200]


@pytest.mark.parametrize(
    ("prefer", "segundos"),
    [
        ("wait=3", 3),
        ('wait="3"', 3),
        ("respond-async, wait=3", 3),
        ("return=minimal; x=1, WAIT = 3; y", 3),
        ("wait=3, wait=5", 3),
        ("wait=600", MAXIMA),
        ("wait=0", 0),
        ("wait", 0),
        ("wait=-1", 0),
        ("wait=1.5", 0),
        ("wait=٣", 0),
        ("xwait=3", 0),
        ("", 0),
    ],
)
def test_what_is_preferred(prefer: str, segundos: int) -> None:
    with Flask(__name__).test_request_context(headers={"Prefer": prefer}):
        assert preferida(request) == segundos
