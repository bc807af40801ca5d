"""Calls of the original service's clients work unchanged; what it answered wrongly the BFF answers rightly."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from bff.app import create_app
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.web.test_commands import ID, ORDEN, XML, as_xml, problem
from tests.unit.bff.web.test_queries import PRODUCTO, ROW


@pytest.fixture
def client(publisher: FakePublisher) -> FlaskClient:
    return create_app(publisher, FakeReadModels([ROW], [PRODUCTO])).test_client()


@pytest.mark.parametrize("root", ["root", "order", "pedido"])
def test_its_orders_in_json_and_in_xml_of_any_root(client: FlaskClient, root: str) -> None:
    xml = as_xml(ORDEN).replace("pedido>", f"{root}>")
    for response in (
        client.post("/orders", json=ORDEN),
        client.post("/orders", data=xml, content_type="application/xml"),
    ):
        body: Any = response.json
        assert (response.status_code, body["mssg"]) == (202, "Procesando mensaje")
        assert response.headers["Location"] == f"/orders/{body['id_orden']}"


@pytest.mark.parametrize("path", ["/orders", f"/orders/{ID}", "/productos", f"/productos/{ID}"])
def test_its_reads_which_send_a_content_type_and_a_body(client: FlaskClient, path: str) -> None:
    with_body = client.get(path, json={"id": 1})
    assert (with_body.status_code, with_body.json) == (200, client.get(path).json)
    expected = list if path == "/orders" else dict
    assert type(with_body.json) is expected
    assert path.startswith("/orders") or "resultado" in (with_body.json or {})


def test_its_products_and_drivers(client: FlaskClient) -> None:
    assert client.post("/productos/", json={"nombre": "Test", "stock": 10}).status_code == 202
    assert client.delete(f"/productos/{ID}").status_code == 202


@pytest.mark.parametrize("cantidad", [-5, 0, None, "2", 1.5, True, 2**31, 2**63, "", [], {}])
def test_quantities_that_it_takes_or_fails_on(client: FlaskClient, publisher: FakePublisher, cantidad: Any) -> None:
    """The original accepted them, so that stock grew or an order never ended, or answered 500 with a page in HTML."""
    document = problem(client.post("/orders", json={**ORDEN, "cantidad": cantidad}), 400)
    assert document["campo"] == "cantidad"
    assert f"is {cantidad!r}" in document["detail"]
    assert publisher.published == []


@pytest.mark.parametrize("field", ["user_id", "direccion_entrega", "id_producto"])
@pytest.mark.parametrize("value", [1, None, True, [], {}, 1.5])
def test_texts_that_are_none(client: FlaskClient, publisher: FakePublisher, field: str, value: Any) -> None:
    """The original answered 500 with a page in HTML."""
    assert problem(client.post("/orders", json={**ORDEN, field: value}), 400)["campo"] == field
    assert publisher.published == []


@pytest.mark.parametrize(
    "odd_id", ["0", "no-es-un-uuid", ID[:-1], f"{ID}0", "..%2f..", "%00", "'%20or%201=1--", "🚚", "x" * 5000]
)
def test_odd_ids(client: FlaskClient, odd_id: str) -> None:
    """The original answered 500."""
    for path in (f"/orders/{odd_id}", f"/productos/{odd_id}"):
        assert "ids are UUIDs" in problem(client.get(path), 404)["detail"]


def test_unknown_ids() -> None:
    """The original answered 500."""
    client = create_app(FakePublisher(), FakeReadModels()).test_client()
    for path in (f"/orders/{ID}", f"/productos/{ID}", f"/orders/{ID}/saga"):
        assert ID in problem(client.get(path), 404)["detail"]


@pytest.mark.parametrize("path", ["/orders", f"/orders/{ID}", "/productos", f"/productos/{ID}", "/health"])
def test_head(client: FlaskClient, path: str) -> None:
    """The original answered 500."""
    with_body, without = client.get(path), client.head(path)
    assert (without.status_code, without.text) == (200, "")
    assert (without.headers["ETag"], without.headers["Content-Type"]) == (
        with_body.headers["ETag"],
        with_body.headers["Content-Type"],
    )


@pytest.mark.parametrize("media_type", XML)
def test_xml_by_all_its_names(client: FlaskClient, media_type: str) -> None:
    """The original answered 400."""
    assert client.post("/orders", data=as_xml(ORDEN), content_type=media_type).status_code == 202


@pytest.mark.parametrize("address", ["Calle 45 🚚 ñandú", "Carrera 7 # " + "1" * 288])
def test_an_emoji_and_a_long_address(client: FlaskClient, address: str) -> None:
    """The original accepted it, and then its consumer's thread died."""
    assert client.post("/orders", json={**ORDEN, "direccion_entrega": address}).status_code == 202
