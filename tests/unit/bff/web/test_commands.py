"""What clients send: the commands that are published for it, and how wrong input is refused.

Longer than 200 lines: its cases, of what is taken and what is refused, are one list.
"""

import json
import math
from typing import Any
from xml.sax.saxutils import escape

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from bff.app import create_app
from bff.bodies.formats import MAX_BODY
from bff.bodies.xml import MAX_DEPTH
from functions.messages.ids import Id
from functions.messages.payloads import (
    ComandoCrearOrden,
    ComandoCrearProducto,
    ComandoEliminarProducto,
    ComandoRegistrarConductor,
)
from tests.support.fakes import FakePublisher, FakeReadModels

ID = "6f1c1d4e-8a3b-4c5d-9e7f-0a1b2c3d4e5f"
ORDEN: dict[str, Any] = {"id_producto": ID, "user_id": "ana", "cantidad": 2, "direccion_entrega": "Calle 45 # 13-40 🚚"}
XML = ("application/xml", "application/xml; charset=utf-8", "text/xml", 'text/xml;charset="UTF-8"')


@pytest.fixture
def client(publisher: FakePublisher) -> FlaskClient:
    return create_app(publisher, FakeReadModels()).test_client()


def as_xml(fields: dict[str, Any]) -> str:
    return "<pedido>" + "".join(f"<{c}>{escape(str(v))}</{c}>" for c, v in fields.items()) + "</pedido>"


def problem(response: TestResponse, status: int) -> dict[str, Any]:
    """The answer's problem document (RFC 9457), which every error must have."""
    assert (response.status_code, response.content_type) == (status, "application/problem+json"), response.text
    document: dict[str, Any] = json.loads(response.text)
    assert document["status"] == status
    assert document["type"] == "about:blank"
    assert document["title"]
    assert document["detail"]
    return document


def fields_without_ids(publisher: FakePublisher) -> tuple[Id, str, int, str, str | None]:
    data = publisher.only(ComandoCrearOrden).data
    return (data.id_producto, data.user_id, data.cantidad, data.direccion_entrega, data.instrucciones_entrega)


def test_an_order_in_json_is_published_and_its_ids_given_back(client: FlaskClient, publisher: FakePublisher) -> None:
    response = client.post("/orders", json=ORDEN)
    assert response.status_code == 202
    data = publisher.only(ComandoCrearOrden).data
    ids = {"id_orden": str(data.id_orden), "transaction_id": str(data.transaction_id)}
    assert response.json == {"mssg": "Procesando mensaje", **ids}
    assert response.headers["Location"] == f"/orders/{data.id_orden}"
    assert fields_without_ids(publisher) == (ID, "ana", 2, "Calle 45 # 13-40 🚚", None)


def test_every_request_gets_ids_of_its_own(client: FlaskClient, publisher: FakePublisher) -> None:
    ids = set()
    for _ in range(3):
        ids |= set((client.post("/orders", json=ORDEN).json or {}).values())
        ids.add(str(publisher.only(ComandoCrearOrden).id))
        publisher.published.clear()
    assert len(ids - {"Procesando mensaje"}) == 9


@pytest.mark.parametrize("media_type", XML)
def test_an_order_in_xml_is_the_same_command(client: FlaskClient, publisher: FakePublisher, media_type: str) -> None:
    assert client.post("/orders", data=as_xml(ORDEN), content_type=media_type).status_code == 202
    assert fields_without_ids(publisher) == (ID, "ana", 2, "Calle 45 # 13-40 🚚", None)


@pytest.mark.parametrize(
    "body",
    [
        as_xml(ORDEN).replace("pedido", "root"),
        "\n" + as_xml(ORDEN).replace("><", ">\n  <"),
        '<?xml version="1.0" encoding="UTF-8"?>' + as_xml(ORDEN),
        "\ufeff" + as_xml(ORDEN),
        as_xml(ORDEN).replace("<pedido>", '<pedido xmlns="urn:x" a="1">'),
        as_xml(ORDEN | {"user_id": "\n   ana\t"}),
        as_xml(ORDEN).replace("ana", "<!-- quién --><![CDATA[ana]]>"),
        as_xml(ORDEN | {"cantidad": "+02"}),
    ],
)
def test_xml_may_be_written_in_many_ways(client: FlaskClient, publisher: FakePublisher, body: str) -> None:
    response = client.post("/orders", data=body.encode(), content_type="application/xml")
    assert response.status_code == 202, response.text
    assert fields_without_ids(publisher) == (ID, "ana", 2, "Calle 45 # 13-40 🚚", None)


characters = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")


@given(
    st.fixed_dictionaries(
        {
            "id_producto": st.uuids().map(str),
            "user_id": st.text(characters, min_size=1, max_size=260),
            "cantidad": st.integers(-2, 10_002),
            "direccion_entrega": st.text(characters, min_size=1, max_size=100),
        },
        optional={"instrucciones_entrega": st.text(characters, max_size=100)},
    )
)
def test_json_and_xml_lead_to_the_same_command_or_the_same_error(fields: dict[str, Any]) -> None:
    results = []
    for body, media_type in ((json.dumps(fields), "application/json"), (as_xml(fields), "text/xml")):
        publisher = FakePublisher()
        client = create_app(publisher, FakeReadModels()).test_client()
        response = client.post("/orders", data=body, content_type=media_type)
        errors = [error["campo"] for error in json.loads(response.text).get("errores", [])]
        results.append((response.status_code, errors, publisher.published and fields_without_ids(publisher)))
    assert results[0] == results[1]
    assert results[0][0] in (202, 400)


INVALID = [
    ("cantidad", "2"),
    ("cantidad", 1.5),
    ("cantidad", True),
    ("cantidad", None),
    ("cantidad", [2]),
    ("cantidad", 0),
    ("cantidad", -5),
    ("cantidad", 10_001),
    ("cantidad", 2**31),
    ("cantidad", 10**4000),
    ("user_id", 1),
    ("user_id", None),
    ("user_id", ""),
    ("user_id", " \t\n"),
    ("user_id", "\u3000"),
    ("user_id", "a" * 256),
    ("user_id", "a\0b"),
    ("user_id", "a\x85b"),
    ("user_id", {"a": 1}),
    ("direccion_entrega", ""),
    ("direccion_entrega", "a" * 1001),
    ("direccion_entrega", "Calle\n1"),
    ("direccion_entrega", "\ud83d"),
    ("instrucciones_entrega", ""),
    ("instrucciones_entrega", "a" * 1001),
    ("instrucciones_entrega", 7),
    ("id_producto", "no-es-uuid"),
    ("id_producto", ID.replace("-", "")),
    ("id_producto", "{" + ID + "}"),
    ("id_producto", ID + "\n"),
    ("id_producto", 7),
    ("id_producto", None),
]


@pytest.mark.parametrize(("field", "value"), INVALID, ids=lambda v: repr(v)[:30])
def test_a_wrong_field_is_refused_by_name(
    client: FlaskClient, publisher: FakePublisher, field: str, value: object
) -> None:
    document = problem(client.post("/orders", json=ORDEN | {field: value}), 400)
    assert document["campo"] == field
    assert [error["campo"] for error in document["errores"]] == [field]
    assert document["detail"].startswith(f"{field} is ")
    assert len(document["detail"]) < 300
    assert publisher.published == []


@pytest.mark.parametrize("cantidad", ["2.0", "2e0", "20e-1"])
def test_a_whole_number_may_be_written_with_a_fraction(
    client: FlaskClient, publisher: FakePublisher, cantidad: str
) -> None:
    body = json.dumps(ORDEN).replace('"cantidad": 2', f'"cantidad": {cantidad}')
    assert client.post("/orders", data=body, content_type="application/json").status_code == 202
    assert publisher.only(ComandoCrearOrden).data.cantidad == 2


@pytest.mark.parametrize("cantidad", ["1e999", "1e308", "-1e308", "2.5"])
def test_a_number_that_is_no_quantity_is_refused(client: FlaskClient, cantidad: str) -> None:
    body = json.dumps(ORDEN).replace('"cantidad": 2', f'"cantidad": {cantidad}')
    response = client.post("/orders", data=body, content_type="application/json")
    assert problem(response, 400)["campo"] == "cantidad"


@pytest.mark.parametrize("field", ORDEN)
def test_a_missing_field_is_named_in_both_formats(client: FlaskClient, field: str) -> None:
    rest = {c: v for c, v in ORDEN.items() if c != field}
    for body, media_type in ((json.dumps(rest), "application/json"), (as_xml(rest), "application/xml")):
        document = problem(client.post("/orders", data=body, content_type=media_type), 400)
        assert document["campo"] == field
        assert "missing" in document["detail"]


def test_all_wrong_fields_are_named_at_once(client: FlaskClient) -> None:
    document = problem(client.post("/orders", json={"user_id": "ana", "cantidad": -1}), 400)
    assert [error["campo"] for error in document["errores"]] == ["id_producto", "cantidad", "direccion_entrega"]


@pytest.mark.parametrize("value", ["", "dos", "1.5", "1e1", "0x2", "٢", "2 2", "9" * 50, "<a>2</a>", "<a/>"])
def test_text_that_is_no_quantity_is_refused_in_xml(client: FlaskClient, value: str) -> None:
    body = as_xml(ORDEN).replace("<cantidad>2<", f"<cantidad>{value}<")
    assert problem(client.post("/orders", data=body, content_type="text/xml"), 400)["campo"] == "cantidad"


def test_a_repeated_element_is_refused(client: FlaskClient) -> None:
    body = as_xml(ORDEN).replace("</pedido>", "<cantidad>3</cantidad></pedido>")
    assert problem(client.post("/orders", data=body, content_type="text/xml"), 400)["campo"] == "cantidad"


@pytest.mark.parametrize("extra", [{"nota": "x"}, {"nota": {"a": [1, None]}}, {"id_orden": ID}, {"estado": "iniciada"}])
def test_other_fields_are_ignored(client: FlaskClient, publisher: FakePublisher, extra: dict[str, Any]) -> None:
    assert client.post("/orders", json=ORDEN | extra).status_code == 202
    assert str(publisher.only(ComandoCrearOrden).data.id_orden) != ID


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b"{}x",
        b"[]",
        b"null",
        b"7",
        b'"a"',
        b"{'a':1}",
        b'{"cantidad": NaN}',
        b'{"cantidad": -Infinity}',
        b"[" * 60_000,
        b'{"a":' * 12_000,
        b"1" * 60_000,
        b"\xff\xfe{}",
        b'{"user_id":"\xf1"}',
        json.dumps(ORDEN).encode("utf-16"),
        json.dumps(ORDEN).encode("utf-16-le"),
        json.dumps(ORDEN).encode("utf-32"),
    ],
    ids=lambda raw: repr(raw[:20]),
)
def test_a_body_that_is_no_json_object_is_refused(client: FlaskClient, raw: bytes) -> None:
    assert "campo" not in problem(client.post("/orders", data=raw, content_type="application/json"), 400)


BOMB = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + as_xml(ORDEN | {"user_id": "@"})


@pytest.mark.parametrize(
    "body",
    [
        "",
        "texto",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        as_xml(ORDEN).replace("<pedido>", "<pedido>ana"),
        as_xml(ORDEN).replace("</pedido>", "ana</pedido>"),
        "<a>" * 20_000,
        "<!DOCTYPE a>" + as_xml(ORDEN),
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd">' + as_xml(ORDEN),
        BOMB.replace("@", "&b;"),
        BOMB.replace("@", "ana"),
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + as_xml(ORDEN).replace("ana", "&x;"),
        as_xml(ORDEN).replace("ana", "&x;"),
        as_xml(ORDEN).replace("ana", "&#0;"),
        as_xml(ORDEN).replace("ana", "&#xD83D;"),
        as_xml(ORDEN).replace("ana", "a\0b"),
        '<?xml version="1.0" encoding="martian"?>' + as_xml(ORDEN),
        '<?xml version="1.0" encoding="shift_jis"?>' + as_xml(ORDEN),
        '<?xml version="1.0" encoding="hex"?>' + as_xml(ORDEN),
        '<?xml version="1.0" encoding="utf-16"?>' + as_xml(ORDEN),
    ],
    ids=lambda body: body[:40],
)
def test_a_body_that_is_no_plain_xml_is_refused(client: FlaskClient, body: str) -> None:
    assert "campo" not in problem(client.post("/orders", data=body, content_type="application/xml"), 400)


def test_latin_1_is_refused_in_xml(client: FlaskClient) -> None:
    body = ('<?xml version="1.0" encoding="ISO-8859-1"?>' + as_xml(ORDEN | {"user_id": "ñ"})).replace("🚚", "")
    problem(client.post("/orders", data=body.encode("latin-1"), content_type="application/xml"), 400)


@pytest.mark.parametrize(("levels", "status"), [(MAX_DEPTH, 202), (MAX_DEPTH + 1, 400), (9_000, 400)])
def test_what_is_not_known_is_ignored_unless_it_is_too_deep(client: FlaskClient, levels: int, status: int) -> None:
    nested = "<a>" * levels + "</a>" * levels
    body = as_xml(ORDEN).replace("</pedido>", f"{nested}</pedido>")
    response = client.post("/orders", data=body, content_type="application/xml")
    assert response.status_code == status
    assert status == 202 or "deep" in problem(response, 400)["detail"]


@pytest.mark.parametrize(
    "media_type",
    [None, "", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "a/b;c=ñ"],
)
def test_other_media_types_are_refused(client: FlaskClient, media_type: str | None) -> None:
    problem(client.post("/orders", data=json.dumps(ORDEN), content_type=media_type), 415)


@pytest.mark.parametrize("media_type", ["application/json", "application/xml"])
def test_a_body_over_64_kib_is_refused(client: FlaskClient, media_type: str) -> None:
    body = (json.dumps(ORDEN) if media_type.endswith("json") else as_xml(ORDEN)).encode()
    assert client.post("/orders", data=body.ljust(MAX_BODY), content_type=media_type).status_code == 202
    document = problem(client.post("/orders", data=body.ljust(MAX_BODY + 1), content_type=media_type), 413)
    assert str(MAX_BODY) in document["detail"]


def test_the_largest_quantity_is_a_setting(publisher: FakePublisher) -> None:
    client = create_app(publisher, FakeReadModels(), max_cantidad=3).test_client()
    assert problem(client.post("/orders", json=ORDEN | {"cantidad": 4}), 400)["campo"] == "cantidad"
    assert client.post("/orders", json=ORDEN | {"cantidad": 3}).status_code == 202


@pytest.mark.parametrize("stock", [0, 10, 2**31 - 1])
def test_a_product_is_published(client: FlaskClient, publisher: FakePublisher, stock: int) -> None:
    response = client.post("/productos/", json={"nombre": " Café ", "stock": stock})
    data = publisher.only(ComandoCrearProducto).data
    assert (data.nombre, data.stock) == ("Café", stock)
    assert response.status_code == 202
    assert response.json == {"mssg": "Procesando mensaje", "id": str(data.id_producto)}
    assert response.headers["Location"] == f"/productos/{data.id_producto}"


@pytest.mark.parametrize(
    ("field", "value"), [("stock", -1), ("stock", 2**31), ("stock", "1"), ("stock", math.pi), ("nombre", "")]
)
def test_a_wrong_product_is_refused(client: FlaskClient, field: str, value: object) -> None:
    response = client.post("/productos", json={"nombre": "Té", "stock": 1} | {field: value})
    assert problem(response, 400)["campo"] == field


def test_a_product_is_deleted_by_a_command(client: FlaskClient, publisher: FakePublisher) -> None:
    response = client.delete(f"/productos/{ID.upper()}")
    assert publisher.only(ComandoEliminarProducto).data == ComandoEliminarProducto(Id(ID))
    assert (response.status_code, response.json) == (202, {"mssg": "Procesando mensaje", "id": ID})
    assert response.headers["Location"] == f"/productos/{ID}"


@pytest.mark.parametrize(
    ("body", "media_type", "nombre"),
    [
        ("{}", "application/json", None),
        ('{"nombre":null}', "application/json", None),
        ('{"nombre":"Ana"}', "application/json", "Ana"),
        ("<conductor/>", "text/xml", None),
        ("<conductor><nombre>Ana</nombre></conductor>", "text/xml", "Ana"),
    ],
)
def test_a_driver_is_registered_with_or_without_a_name(
    client: FlaskClient, publisher: FakePublisher, body: str, media_type: str, nombre: str | None
) -> None:
    response = client.post("/conductores", data=body, content_type=media_type)
    data = publisher.only(ComandoRegistrarConductor).data
    assert data.nombre == nombre
    assert (response.status_code, response.json) == (
        202,
        {"mssg": "Procesando mensaje", "id_conductor": str(data.id_conductor)},
    )
    assert response.headers["Location"] == f"/conductores/{data.id_conductor}"
