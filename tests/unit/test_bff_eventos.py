"""GET /orders/<id>/events: the saga as it comes, nothing twice, nothing skipped."""

import json
from collections.abc import Sequence
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from bff import espera
from bff.app import crear_app
from bff.eventos import Flujo
from bff.lecturas import Fila, SinBaseDeDatos
from functions.comun.ids import Id
from tests.fakes import LecturasFalsas, PublicadorFalso
from tests.unit.test_bff_comandos import ID, problema
from tests.unit.test_bff_consultas import FILA

RUTA = f"/orders/{ID}/events"
# of one moment, as their ids say: those of a saga begin alike
PASOS: list[Fila] = [
    {"id_mensaje": Id(str(UUID(int=n))), "evento": evento, "is_compensation": False}
    for n, evento in enumerate(("comando-crear-orden", "comando-disminuir-stock", "comando-marcar-listo-despacho"), 1)
]
CREADA, INICIADA = FILA, {**FILA, "estado": "iniciada"}


class LecturasQueCambian(LecturasFalsas):
    """Each look is the next of `vistas`; the last one stays."""

    vistas: Sequence[tuple[Fila | None, list[Fila]]]
    mirada = -1

    def orden(self, id_orden: Id) -> Fila | None:
        self.mirada += 1
        return self._vista()[0]

    def saga(self, id_orden: Id) -> list[Fila]:
        return self._filas(self._vista()[1])

    def _vista(self) -> tuple[Fila | None, list[Fila]]:
        return self.vistas[min(self.mirada, len(self.vistas) - 1)]


def app_con(*vistas: tuple[Fila | None, list[Fila]], esperas: int = 1) -> Flask:
    lecturas = LecturasQueCambian()
    lecturas.vistas = vistas
    return crear_app(PublicadorFalso(), lecturas, max_esperas=esperas)


def leidos(texto: str) -> list[tuple[str, str, Any]]:
    """Id, name and data of each event."""
    bloques = [dict(linea.split(": ", 1) for linea in bloque.split("\n")) for bloque in texto.split("\n\n") if bloque]
    return [(b["id"], b["event"], json.loads(b["data"])) for b in bloques if "data" in b]


def nombres(respuesta: TestResponse) -> list[str]:
    return [datos.get("evento", datos.get("estado")) for _, _, datos in leidos(respuesta.text)]


@pytest.fixture(autouse=True)
def _corto(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bff.eventos.MAXIMA", 0.1)
    monkeypatch.setattr("bff.espera.PAUSA", (0.001, 0.001))


def test_steps_come_as_they_are_logged_and_the_order_last() -> None:
    app = app_con((None, []), (CREADA, PASOS[:1]), (CREADA, PASOS[:2]), (INICIADA, PASOS))
    respuesta = app.test_client().get(RUTA, headers={"Accept": "text/event-stream"})
    assert (respuesta.status_code, respuesta.mimetype) == (200, "text/event-stream")
    assert nombres(respuesta) == [paso["evento"] for paso in PASOS] + ["iniciada"]
    assert [nombre for _, nombre, _ in leidos(respuesta.text)] == ["paso"] * 3 + ["orden"]
    assert respuesta.text.startswith("retry: 1000\n\n")


def test_the_end_is_told_only_when_its_step_is_logged_and_the_order_can_be_read() -> None:
    assert nombres(app_con((INICIADA, PASOS[:2])).test_client().get(RUTA))[-1] == "comando-disminuir-stock"
    assert nombres(app_con((CREADA, PASOS)).test_client().get(RUTA))[-1] == "comando-marcar-listo-despacho"


@given(st.permutations(PASOS), st.lists(st.integers(1, 3), max_size=4))
def test_whatever_is_logged_late_and_wherever_it_breaks_each_event_comes_once(
    orden: list[Fila], cortes: list[int]
) -> None:
    """Steps are logged in any order, shown by time, and the connection breaks after so many events."""
    vistas = [(CREADA, sorted(orden[:n], key=lambda paso: paso["id_mensaje"])) for n in range(4)]
    recibidos, ultimo = [], ""
    for corte in [*cortes, 100]:
        miradas = iter([*vistas, (INICIADA, PASOS)])
        flujo = Flujo(lambda: next(miradas), ultimo.split(".") if ultimo else [])  # noqa: B023
        for evento, _ in zip(flujo.eventos(), range(corte), strict=False):
            [(ultimo, _, datos)] = leidos(evento.decode())
            recibidos.append(datos.get("evento", datos.get("estado")))
    assert sorted(recibidos) == sorted([paso["evento"] for paso in PASOS] + ["iniciada"])
    assert recibidos[-1] == "iniciada"


def test_who_has_everything_is_told_not_to_come_again() -> None:
    app = app_con((INICIADA, PASOS))
    (*_, (ultimo, _, _)) = leidos(app.test_client().get(RUTA, buffered=True).text)
    respuesta = app.test_client().get(RUTA, headers={"Last-Event-ID": ultimo})
    assert (respuesta.status_code, respuesta.text) == (204, "")


def test_if_nothing_new_comes_the_client_is_to_come_again() -> None:
    app = app_con((CREADA, PASOS[:1]))
    ((ultimo, _, _),) = leidos(app.test_client().get(RUTA, buffered=True).text)
    respuesta = app.test_client().get(RUTA, headers={"Last-Event-ID": ultimo})
    assert (respuesta.status_code, respuesta.text) == (200, "retry: 1000\n\n")


def test_an_unknown_order_is_404_and_a_wrong_last_event_id_400() -> None:
    assert "there is no saga" in problema(app_con((None, [])).test_client().get(RUTA), 404)["detail"]
    for ultimo in ("x", "0" * 9, "fin", "00000000.FIN", "00000000." * 3):
        respuesta = app_con((CREADA, PASOS)).test_client().get(RUTA, headers={"Last-Event-ID": ultimo})
        assert "Last-Event-ID" in problema(respuesta, 400)["detail"]


@pytest.mark.parametrize("metodo", ["GET", "HEAD"])
def test_too_many_that_wait_are_told_to_come_later_and_places_are_given_back(metodo: str) -> None:
    app = app_con((CREADA, PASOS[:1]), esperas=1)
    for _ in range(3):
        respuesta = app.test_client().open(RUTA, method=metodo, buffered=False)
        if metodo == "GET":
            otra = app.test_client().get(RUTA)
            assert (problema(otra, 503)["status"], otra.headers["Retry-After"]) == (503, "1")
        assert respuesta.status_code == 200
        respuesta.close()


def test_a_database_that_is_away_at_first_is_503_and_later_the_end_of_the_stream() -> None:
    lecturas = LecturasFalsas(fallo=SinBaseDeDatos("saga"))
    app = crear_app(PublicadorFalso(), lecturas, max_esperas=1)
    for _ in range(2):
        problema(app.test_client().get(RUTA), 503)
    miradas = count()

    def leer() -> tuple[Fila, list[Fila]]:
        if next(miradas):
            raise SinBaseDeDatos("saga")
        return CREADA, PASOS[:1]

    assert len(list(Flujo(leer, []).eventos())) == 1


def test_waiting_looks_first_when_an_order_can_have_ended_then_often_then_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pausas: list[float] = []
    reloj = 0.0

    def dormir(segundos: float) -> None:
        nonlocal reloj
        reloj += segundos
        pausas.append(segundos)

    monkeypatch.setattr("bff.espera.PRIMERA", 0.05)
    monkeypatch.setattr("bff.espera.PAUSA", (0.01, 0.1))
    monkeypatch.setattr("bff.espera.time.sleep", dormir)
    monkeypatch.setattr("bff.espera.time.monotonic", lambda: reloj)
    assert len(list(espera.miradas(5))) == len(pausas) + 1
    assert pausas[:2] == [0.05, 0.01]
    assert max(pausas) == 0.1
    assert reloj == pytest.approx(5)
