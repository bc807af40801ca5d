"""What clients ask of a product that is there: the commands, who may, and what whoever waits is told."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import Client

from bff.access.tokens import Authentication
from bff.app import create_app
from bff.backends.read_models import Row
from functions.messages.codec import codec
from functions.messages.ids import Id, new
from functions.messages.outgoing import Outgoing
from functions.messages.payloads import MAX_INT, ComandoAjustarStock, ComandoRenombrarProducto
from tests.support import through_door
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.access.test_access import SECRET, token
from tests.unit.bff.web.test_commands import ID, as_xml, problem
from tests.unit.bff.web.test_queries import MOVIMIENTO, PRODUCTO

AJUSTE = {"cantidad": -2, "motivo": "Inventario"}
STOCK, PATH = f"/productos/{ID}/stock", f"/productos/{ID}"
WAIT = {"Prefer": "wait=5"}


class Shop(FakeReadModels):
    """One product; the movement of an adjustment, and another name, are there as soon as they were asked for."""

    def __init__(self, publisher: FakePublisher, rechazado: bool = False, stock: int = 1) -> None:
        super().__init__(producto_rows=[PRODUCTO])
        self._publisher, self._rechazado, self._stock = publisher, rechazado, stock

    def these_ajustes(self, ids: Sequence[Id]) -> dict[Id, Row]:
        made = [asked(outgoing) for outgoing in self._publisher.published]
        shown = {"rechazado": self._rechazado, "stock": self._stock}
        return {
            data.id_ajuste: MOVIMIENTO
            | shown
            | {"id_ajuste": data.id_ajuste, "cantidad": data.cantidad, "motivo": data.motivo}
            for data in reversed(made)
            if isinstance(data, ComandoAjustarStock) and data.id_ajuste in ids
        }

    def these_productos(self, ids: Sequence[Id]) -> dict[Id, Row]:
        names = [asked(outgoing).nombre for outgoing in self._publisher.published]
        return {Id(ID): PRODUCTO | {"nombre": (names or [PRODUCTO["nombre"]])[-1]}}


def asked(outgoing: Outgoing) -> Any:
    return codec(outgoing.topic).decode(outgoing.raw).data


def shop(publisher: FakePublisher, authentication: Authentication | None = None, **shown: Any) -> Client:
    return through_door.client(create_app(publisher, Shop(publisher, **shown), authentication=authentication))


def test_an_adjustment_is_published_and_answered_202(publisher: FakePublisher) -> None:
    response = shop(publisher).post(STOCK, json=AJUSTE)
    data = publisher.only(ComandoAjustarStock).data
    assert data == ComandoAjustarStock(Id(ID), data.id_ajuste, -2, "Inventario")
    assert (response.status_code, response.headers["Location"]) == (202, f"{PATH}/movimientos")
    assert response.json == {"mssg": "Procesando mensaje", "id": ID, "id_ajuste": data.id_ajuste}


def test_a_new_name_is_published_and_answered_202(publisher: FakePublisher) -> None:
    response = shop(publisher).patch(PATH, json={"nombre": "  Café "})
    assert publisher.only(ComandoRenombrarProducto).data == ComandoRenombrarProducto(Id(ID), "Café")
    assert (response.status_code, response.headers["Location"]) == (202, PATH)
    assert response.json == {"mssg": "Procesando mensaje", "id": ID}


@pytest.mark.parametrize("cantidad", ["-2", " +3 ", "2147483647", "-2147483647"])
def test_xml_has_no_types(publisher: FakePublisher, cantidad: str) -> None:
    body = as_xml(AJUSTE | {"cantidad": cantidad})
    assert shop(publisher).post(STOCK, data=body, content_type="text/xml").status_code == 202
    assert publisher.only(ComandoAjustarStock).data.cantidad == int(cantidad)


def test_names_come_in_xml_too(publisher: FakePublisher) -> None:
    assert shop(publisher).patch(PATH, data=as_xml({"nombre": "Té"}), content_type="text/xml").status_code == 202
    assert publisher.only(ComandoRenombrarProducto).data.nombre == "Té"


@pytest.mark.parametrize("cantidad", [0, -0.0, "5", 1.5, True, None, MAX_INT + 1, -MAX_INT - 1, [1]])
def test_a_quantity_must_be_a_whole_number_that_changes_something(publisher: FakePublisher, cantidad: Any) -> None:
    document = problem(shop(publisher).post(STOCK, json=AJUSTE | {"cantidad": cantidad}), 400)
    assert document["campo"] == "cantidad"
    assert publisher.published == []


@pytest.mark.parametrize("text", ["", " ", None, 3, "a\nb"])
def test_texts_must_say_something(publisher: FakePublisher, text: Any) -> None:
    client = shop(publisher)
    assert problem(client.post(STOCK, json=AJUSTE | {"motivo": text}), 400)["campo"] == "motivo"
    assert problem(client.patch(PATH, json={"nombre": text}), 400)["campo"] == "nombre"
    assert problem(client.post(STOCK, data=as_xml({"cantidad": 0}), content_type="text/xml"), 400)["errores"]
    assert publisher.published == []


def test_an_unknown_product_is_a_404(publisher: FakePublisher) -> None:
    client, unknown = shop(publisher), uuid4()
    for response in (
        client.post(f"/productos/{unknown}/stock", json=AJUSTE),
        client.patch(f"/productos/{unknown}", json={"nombre": "Té"}),
    ):
        assert str(unknown) in problem(response, 404)["detail"]
    assert publisher.published == []


def test_whoever_waits_gets_the_movement(publisher: FakePublisher) -> None:
    response = shop(publisher).post(STOCK, json=AJUSTE, headers=WAIT)
    data = publisher.only(ComandoAjustarStock).data
    assert (response.status_code, response.headers["Preference-Applied"]) == (200, "wait=5"), response.text
    body = response.json or {}
    assert (body["id"], body["id_ajuste"], body["resultado"]["stock"]) == (ID, data.id_ajuste, 1)
    assert body["resultado"]["id_ajuste"] == data.id_ajuste


def test_whoever_waits_gets_the_product_with_its_new_name(publisher: FakePublisher) -> None:
    response = shop(publisher).patch(PATH, json={"nombre": "Café"}, headers=WAIT)
    assert (response.status_code, (response.json or {})["resultado"]["nombre"]) == (200, "Café")


@pytest.mark.parametrize(("stock", "reason"), [(1, f"had 1, and must have from 0 to {MAX_INT}"), (5, "was deleted")])
def test_what_is_refused_is_a_409_with_the_stock_for_whoever_waits(
    publisher: FakePublisher, stock: int, reason: str
) -> None:
    client = shop(publisher, rechazado=True, stock=stock)
    document = problem(client.post(STOCK, json=AJUSTE, headers=WAIT), 409)
    assert document["stock"] == stock
    assert document["detail"] == f"the stock was not adjusted by -2: product {ID} {reason}"
    xml = client.post(STOCK, json=AJUSTE, headers=WAIT | {"Accept": "text/xml"})
    assert (xml.status_code, f"<stock>{stock}</stock>" in xml.text) == (409, True)
    assert client.post(STOCK, json=AJUSTE).status_code == 202


def test_the_same_request_again_is_the_same_adjustment_and_another_one_is_refused(publisher: FakePublisher) -> None:
    client, keys = shop(publisher), [{"Idempotency-Key": str(new())} for _ in range(2)]
    bodies = [client.post(STOCK, json=AJUSTE, headers=key).json or {} for key in (keys[0], keys[0], keys[1])]
    assert bodies[0] == bodies[1] != bodies[2]
    first, again, other = (codec(outgoing.topic).decode(outgoing.raw).id for outgoing in publisher.published)
    assert first == again != other
    assert client.post(STOCK, json=AJUSTE, headers=keys[0] | WAIT).status_code == 200
    published = len(publisher.published)
    for changed in ({"cantidad": 2}, {"motivo": "otro"}):
        refusal = problem(client.post(STOCK, json=AJUSTE | changed, headers=keys[0]), 422)
        assert f"another {next(iter(changed))}" in refusal["detail"]
    assert len(publisher.published) == published


@pytest.mark.parametrize(("scopes", "status"), [(("productos:administrar",), 202), (("ordenes:administrar",), 403)])
def test_who_may_create_products_may_change_them(
    publisher: FakePublisher, scopes: tuple[str, ...], status: int
) -> None:
    client = shop(publisher, authentication=Authentication(secret=SECRET))
    assert client.post(STOCK, json=AJUSTE, headers=token("ana", *scopes)).status_code == status
    assert client.patch(PATH, json={"nombre": "Té"}, headers=token("ana", *scopes)).status_code == status
    assert client.get(f"{PATH}/movimientos", headers=token("ana")).status_code == 200
