"""The decisions about drivers, and the saga log's entries."""

import json
from dataclasses import asdict
from datetime import datetime

from functions.comun.ids import nuevo
from functions.comun.mensajes import Mensaje, RevertirDisminuirStock
from functions.conductores import dominio
from functions.saga.tablas import filas
from tests.datos import liberar, listo, pedir_conductor, revertir, una_orden


def test_a_free_driver_is_assigned_and_the_order_marked_ready() -> None:
    comando, libre = pedir_conductor(una_orden()), nuevo()
    asignacion, (salida,) = dominio.asignar(None, libre, comando)
    assert (asignacion.id_conductor, asignacion.estado) == (libre, "asignada")
    assert salida.id_conductor == libre  # type: ignore[attr-defined]


def test_without_a_free_driver_the_stock_is_given_back() -> None:
    asignacion, (salida,) = dominio.asignar(None, None, pedir_conductor(una_orden()))
    assert asignacion.estado == "rechazada"
    assert isinstance(salida, RevertirDisminuirStock)
    assert salida.motivo == "sin conductor libre"


def test_another_message_for_the_same_order_gets_the_same_answer() -> None:
    comando = pedir_conductor(una_orden())
    for libre in (nuevo(), None):
        asignacion, salidas = dominio.asignar(None, libre, comando)
        assert dominio.asignar(asignacion, nuevo(), comando) == (asignacion, salidas)


def test_the_driver_of_an_order_that_is_given_up_is_freed_and_its_stock_given_back() -> None:
    orden = una_orden()
    asignacion, _ = dominio.asignar(None, nuevo(), pedir_conductor(orden))
    liberada, (salida,) = dominio.liberar(asignacion, liberar(orden))
    assert (liberada.estado, liberada.id_conductor, liberada.motivo) == ("liberada", None, "plazo vencido")
    assert isinstance(salida, RevertirDisminuirStock)
    assert salida.motivo == "plazo vencido"


def test_a_request_for_a_driver_that_comes_after_the_order_was_given_up_is_refused() -> None:
    orden = una_orden()
    liberada, salidas = dominio.liberar(None, liberar(orden))
    assert dominio.asignar(liberada, nuevo(), pedir_conductor(orden)) == (liberada, salidas)
    assert dominio.liberar(liberada, liberar(orden)) == (liberada, salidas)


def test_an_order_without_a_driver_stays_refused_when_it_is_given_up() -> None:
    orden = una_orden()
    rechazada, salidas = dominio.asignar(None, None, pedir_conductor(orden))
    assert dominio.liberar(rechazada, liberar(orden)) == (rechazada, salidas)


def test_the_saga_log_says_what_is_a_compensation() -> None:
    orden = una_orden()
    mensajes = [Mensaje(nuevo(), 1, 1_000 + i, datos) for i, datos in enumerate((orden, listo(orden), revertir(orden)))]
    columnas = filas(mensajes)
    assert columnas["evento"] == [
        "comando-crear-orden",
        "comando-marcar-listo-despacho",
        "comando-revertir-orden-creada",
    ]
    assert columnas["is_compensation"] == [False, False, True]
    assert columnas["id_mensaje"] == [mensaje.id for mensaje in mensajes]
    assert columnas["ms"] == [1_000, 1_001, 1_002]
    assert set(columnas["id_orden"]) == {orden.id_orden}
    contenido = json.loads(columnas["contenidos"])[0]
    assert contenido | {"time_stamp": datetime.fromisoformat(contenido["time_stamp"])} == asdict(orden)
