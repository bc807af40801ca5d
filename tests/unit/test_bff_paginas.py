"""Lists in pages: the header Link leads through all of it; filters are checked and handed on."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from bff.app import crear_app
from bff.paginas import cursor, lugar
from functions.comun.ids import Id, nuevo
from tests.fakes import LecturasFalsas, PublicadorFalso
from tests.unit.test_bff_comandos import ID, problema

AYER = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
ORDENES = [{"id_orden": nuevo(), "time_stamp": AYER - timedelta(seconds=n)} for n in range(5)]
PRODUCTOS = [{"id": nuevo(), "fecha_creacion": AYER + timedelta(seconds=n)} for n in range(5)]


@pytest.fixture
def lecturas() -> LecturasFalsas:
    return LecturasFalsas(ORDENES, PRODUCTOS)


@pytest.fixture
def cliente(lecturas: LecturasFalsas) -> FlaskClient:
    return crear_app(PublicadorFalso(), lecturas).test_client()


def enlaces(cliente: FlaskClient, ruta: str) -> dict[str, str]:
    dichos = re.findall(r'<([^>]*)>; rel="(\w+)"', cliente.get(ruta).headers["Link"])
    return {rel: url for url, rel in dichos}


@pytest.mark.parametrize(
    ("ruta", "ultima"), [("/orders", ORDENES[1]), ("/productos", PRODUCTOS[1])], ids=["orders", "products"]
)
def test_the_next_page_begins_after_the_last_row_of_this_one(
    cliente: FlaskClient, lecturas: LecturasFalsas, ruta: str, ultima: dict[str, Any]
) -> None:
    siguiente = enlaces(cliente, f"{ruta}?limit=2")["next"]
    assert siguiente.startswith(f"{ruta}?limit=2&cursor=")
    cliente.get(siguiente)
    limite, _, despues = lecturas.pedidos[-1]
    assert (limite, set(despues or ())) == (3, set(ultima.values()))


def test_the_last_page_has_no_next(cliente: FlaskClient) -> None:
    assert enlaces(cliente, "/orders?limit=5") == {"first": "/orders?limit=5"}
    assert enlaces(cliente, "/orders") == {"first": "/orders"}


def test_filters_are_read_and_kept_from_page_to_page(cliente: FlaskClient, lecturas: LecturasFalsas) -> None:
    pedido = f"/orders?limit=2&estado=fallida&user_id=ana+b%26c&id_producto={ID}&desde=2026-03-01T07:30:00-05:00"
    for url in (pedido, enlaces(cliente, pedido)["next"]):
        cliente.get(url)
        dichos = {"estado": "fallida", "user_id": "ana b&c", "id_producto": Id(ID), "desde": AYER}
        assert lecturas.pedidos[-1][1] == dichos


@pytest.mark.parametrize(
    ("campo", "valor"),
    [
        ("estado", "nada"),
        ("estado", ""),
        ("user_id", ""),
        ("id_producto", "7"),
        ("desde", "ayer"),
        ("hasta", "2026-03-01"),
        ("hasta", "2026-03-01T00:00:00"),
        ("desde", "0001-01-01T00:00:00+14:00"),
        ("hasta", "9999-12-31T23:59:59-14:00"),
        ("cursor", cursor((datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))), Id(ID)))),
        ("cursor", ""),
        ("cursor", "x"),
        ("cursor", "á"),
        ("cursor", "MjAyNi0wMy0wMSA3"),
    ],
)
def test_what_can_not_be_asked_for_is_refused_by_name(cliente: FlaskClient, campo: str, valor: str) -> None:
    respuesta = cliente.get("/orders", query_string={campo: valor})
    assert problema(respuesta, 400)["campo"] == campo


@given(st.datetimes(timezones=st.just(UTC)), st.uuids().map(str).map(Id))
def test_a_cursor_names_its_place(momento: datetime, identidad: Id) -> None:
    assert lugar(cursor((momento, identidad))) == (momento, identidad)


@given(st.text(max_size=80))
def test_what_is_no_cursor_is_an_error_of_the_client(texto: str) -> None:
    with pytest.raises(ValueError, match="Link header"):
        lugar(texto)
