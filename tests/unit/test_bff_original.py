"""The original's own calls work unchanged, and each of its mistakes over HTTP has the right answer here."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from bff.app import crear_app
from tests.fakes import LecturasFalsas, PublicadorFalso
from tests.unit.test_bff_comandos import ID, ORDEN, XML, en_xml, problema
from tests.unit.test_bff_consultas import FILA, PRODUCTO


@pytest.fixture
def publicador() -> PublicadorFalso:
    return PublicadorFalso()


@pytest.fixture
def cliente(publicador: PublicadorFalso) -> FlaskClient:
    return crear_app(publicador, LecturasFalsas([FILA], [PRODUCTO])).test_client()


@pytest.mark.parametrize("raiz", ["root", "order", "pedido"])
def test_its_orders_in_json_and_in_xml_of_any_root(cliente: FlaskClient, raiz: str) -> None:
    xml = en_xml(ORDEN).replace("pedido>", f"{raiz}>")
    for respuesta in (
        cliente.post("/orders", json=ORDEN),
        cliente.post("/orders", data=xml, content_type="application/xml"),
    ):
        cuerpo: Any = respuesta.json
        assert (respuesta.status_code, cuerpo["mssg"]) == (202, "Procesando mensaje")
        assert respuesta.headers["Location"] == f"/orders/{cuerpo['id_orden']}"


@pytest.mark.parametrize("ruta", ["/orders", f"/orders/{ID}", "/productos", f"/productos/{ID}"])
def test_its_reads_which_send_a_content_type_and_a_body(cliente: FlaskClient, ruta: str) -> None:
    con_cuerpo = cliente.get(ruta, json={"id": 1})
    assert (con_cuerpo.status_code, con_cuerpo.json) == (200, cliente.get(ruta).json)
    esperado = list if ruta == "/orders" else dict
    assert type(con_cuerpo.json) is esperado
    assert ruta.startswith("/orders") or "resultado" in (con_cuerpo.json or {})


def test_its_products_and_drivers(cliente: FlaskClient) -> None:
    assert cliente.post("/productos/", json={"nombre": "Test", "stock": 10}).status_code == 202
    assert cliente.delete(f"/productos/{ID}").status_code == 202


@pytest.mark.parametrize("cantidad", [-5, 0, None, "2", 1.5, True, 2**31, 2**63, "", [], {}])
def test_quantities_that_it_takes_or_fails_on(cliente: FlaskClient, publicador: PublicadorFalso, cantidad: Any) -> None:
    """There: accepted, so that stock grows or an order hangs; or 500 with a page in HTML."""
    documento = problema(cliente.post("/orders", json={**ORDEN, "cantidad": cantidad}), 400)
    assert documento["campo"] == "cantidad"
    assert f"is {cantidad!r}" in documento["detail"]
    assert publicador.publicados == []


@pytest.mark.parametrize("campo", ["user_id", "direccion_entrega", "id_producto"])
@pytest.mark.parametrize("valor", [1, None, True, [], {}, 1.5])
def test_texts_that_are_none(cliente: FlaskClient, publicador: PublicadorFalso, campo: str, valor: Any) -> None:
    """There: 500 with a page in HTML."""
    assert problema(cliente.post("/orders", json={**ORDEN, campo: valor}), 400)["campo"] == campo
    assert publicador.publicados == []


@pytest.mark.parametrize(
    "id_raro", ["0", "no-es-un-uuid", ID[:-1], f"{ID}0", "..%2f..", "%00", "'%20or%201=1--", "🚚", "x" * 5000]
)
def test_odd_ids(cliente: FlaskClient, id_raro: str) -> None:
    """There: 500."""
    for ruta in (f"/orders/{id_raro}", f"/productos/{id_raro}"):
        assert "ids are UUIDs" in problema(cliente.get(ruta), 404)["detail"]


def test_unknown_ids() -> None:
    """There: 500."""
    cliente = crear_app(PublicadorFalso(), LecturasFalsas()).test_client()
    for ruta in (f"/orders/{ID}", f"/productos/{ID}", f"/orders/{ID}/saga"):
        assert ID in problema(cliente.get(ruta), 404)["detail"]


@pytest.mark.parametrize("ruta", ["/orders", f"/orders/{ID}", "/productos", f"/productos/{ID}", "/health"])
def test_head(cliente: FlaskClient, ruta: str) -> None:
    """There: 500."""
    con, sin = cliente.get(ruta), cliente.head(ruta)
    assert (sin.status_code, sin.text) == (200, "")
    assert (sin.headers["ETag"], sin.headers["Content-Type"]) == (con.headers["ETag"], con.headers["Content-Type"])


@pytest.mark.parametrize("tipo", XML)
def test_xml_by_all_its_names(cliente: FlaskClient, tipo: str) -> None:
    """There: 400."""
    assert cliente.post("/orders", data=en_xml(ORDEN), content_type=tipo).status_code == 202


@pytest.mark.parametrize("direccion", ["Calle 45 🚚 ñandú", "Carrera 7 # " + "1" * 288])
def test_an_emoji_and_a_long_address(cliente: FlaskClient, direccion: str) -> None:
    """There: accepted, and then the consumer's thread dies."""
    assert cliente.post("/orders", json={**ORDEN, "direccion_entrega": direccion}).status_code == 202
