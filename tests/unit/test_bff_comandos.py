"""What clients send: the commands that it becomes, and how wrong input is refused."""

import json
import math
from typing import Any
from xml.sax.saxutils import escape

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from bff.app import crear_app
from bff.errores import MAX_CUERPO
from bff.formatos import PROFUNDIDAD
from functions.comun.ids import Id
from functions.comun.mensajes import CrearOrden, CrearProducto, EliminarProducto, RegistrarConductor
from tests.fakes import LecturasFalsas, PublicadorFalso

ID = "6f1c1d4e-8a3b-4c5d-9e7f-0a1b2c3d4e5f"
ORDEN: dict[str, Any] = {"id_producto": ID, "user_id": "ana", "cantidad": 2, "direccion_entrega": "Calle 45 # 13-40 🚚"}
XML = ("application/xml", "application/xml; charset=utf-8", "text/xml", 'text/xml;charset="UTF-8"')


@pytest.fixture
def publicador() -> PublicadorFalso:
    return PublicadorFalso()


@pytest.fixture
def cliente(publicador: PublicadorFalso) -> FlaskClient:
    return crear_app(publicador, LecturasFalsas()).test_client()


def en_xml(campos: dict[str, Any]) -> str:
    return "<pedido>" + "".join(f"<{c}>{escape(str(v))}</{c}>" for c, v in campos.items()) + "</pedido>"


def problema(respuesta: TestResponse, estado: int) -> dict[str, Any]:
    """The RFC 9457 document that an error must be."""
    assert (respuesta.status_code, respuesta.content_type) == (estado, "application/problem+json"), respuesta.text
    documento: dict[str, Any] = json.loads(respuesta.text)
    assert documento["status"] == estado
    assert documento["type"] == "about:blank"
    assert documento["title"]
    assert documento["detail"]
    return documento


def campos_sin_ids(publicador: PublicadorFalso) -> tuple[Id, str, int, str, str | None]:
    datos = publicador.unico(CrearOrden).data
    return (datos.id_producto, datos.user_id, datos.cantidad, datos.direccion_entrega, datos.instrucciones_entrega)


def test_an_order_in_json_is_published_and_its_ids_given_back(
    cliente: FlaskClient, publicador: PublicadorFalso
) -> None:
    respuesta = cliente.post("/orders", json=ORDEN)
    assert respuesta.status_code == 202
    datos = publicador.unico(CrearOrden).data
    ids = {"id_orden": str(datos.id_orden), "transaction_id": str(datos.transaction_id)}
    assert respuesta.json == {"mssg": "Procesando mensaje", **ids}
    assert respuesta.headers["Location"] == f"/orders/{datos.id_orden}"
    assert campos_sin_ids(publicador) == (ID, "ana", 2, "Calle 45 # 13-40 🚚", None)


def test_every_request_gets_ids_of_its_own(cliente: FlaskClient, publicador: PublicadorFalso) -> None:
    ids = set()
    for _ in range(3):
        ids |= set((cliente.post("/orders", json=ORDEN).json or {}).values())
        ids.add(str(publicador.unico(CrearOrden).id))
        publicador.publicados.clear()
    assert len(ids - {"Procesando mensaje"}) == 9


@pytest.mark.parametrize("tipo", XML)
def test_an_order_in_xml_is_the_same_command(cliente: FlaskClient, publicador: PublicadorFalso, tipo: str) -> None:
    assert cliente.post("/orders", data=en_xml(ORDEN), content_type=tipo).status_code == 202
    assert campos_sin_ids(publicador) == (ID, "ana", 2, "Calle 45 # 13-40 🚚", None)


@pytest.mark.parametrize(
    "cuerpo",
    [
        en_xml(ORDEN).replace("pedido", "root"),
        "\n" + en_xml(ORDEN).replace("><", ">\n  <"),
        '<?xml version="1.0" encoding="UTF-8"?>' + en_xml(ORDEN),
        "\ufeff" + en_xml(ORDEN),
        en_xml(ORDEN).replace("<pedido>", '<pedido xmlns="urn:x" a="1">'),
        en_xml(ORDEN | {"user_id": "\n   ana\t"}),
        en_xml(ORDEN).replace("ana", "<!-- quién --><![CDATA[ana]]>"),
        en_xml(ORDEN | {"cantidad": "+02"}),
    ],
)
def test_xml_may_be_written_in_many_ways(cliente: FlaskClient, publicador: PublicadorFalso, cuerpo: str) -> None:
    respuesta = cliente.post("/orders", data=cuerpo.encode(), content_type="application/xml")
    assert respuesta.status_code == 202, respuesta.text
    assert campos_sin_ids(publicador) == (ID, "ana", 2, "Calle 45 # 13-40 🚚", None)


letras = st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")


@given(
    st.fixed_dictionaries(
        {
            "id_producto": st.uuids().map(str),
            "user_id": st.text(letras, min_size=1, max_size=260),
            "cantidad": st.integers(-2, 10_002),
            "direccion_entrega": st.text(letras, min_size=1, max_size=100),
        },
        optional={"instrucciones_entrega": st.text(letras, max_size=100)},
    )
)
def test_json_and_xml_lead_to_the_same_command_or_the_same_error(campos: dict[str, Any]) -> None:
    resultados = []
    for cuerpo, tipo in ((json.dumps(campos), "application/json"), (en_xml(campos), "text/xml")):
        publicador = PublicadorFalso()
        cliente = crear_app(publicador, LecturasFalsas()).test_client()
        respuesta = cliente.post("/orders", data=cuerpo, content_type=tipo)
        errores = [error["campo"] for error in json.loads(respuesta.text).get("errores", [])]
        resultados.append((respuesta.status_code, errores, publicador.publicados and campos_sin_ids(publicador)))
    assert resultados[0] == resultados[1]
    assert resultados[0][0] in (202, 400)


INVALIDOS = [
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


@pytest.mark.parametrize(("campo", "valor"), INVALIDOS, ids=lambda v: repr(v)[:30])
def test_a_wrong_field_is_refused_by_name(
    cliente: FlaskClient, publicador: PublicadorFalso, campo: str, valor: object
) -> None:
    documento = problema(cliente.post("/orders", json=ORDEN | {campo: valor}), 400)
    assert documento["campo"] == campo
    assert [error["campo"] for error in documento["errores"]] == [campo]
    assert documento["detail"].startswith(f"{campo} is ")
    assert len(documento["detail"]) < 300
    assert publicador.publicados == []


@pytest.mark.parametrize("cantidad", ["2.0", "2e0", "20e-1"])
def test_a_whole_number_may_be_written_with_a_fraction(
    cliente: FlaskClient, publicador: PublicadorFalso, cantidad: str
) -> None:
    cuerpo = json.dumps(ORDEN).replace('"cantidad": 2', f'"cantidad": {cantidad}')
    assert cliente.post("/orders", data=cuerpo, content_type="application/json").status_code == 202
    assert publicador.unico(CrearOrden).data.cantidad == 2


@pytest.mark.parametrize("cantidad", ["1e999", "1e308", "-1e308", "2.5"])
def test_a_number_that_is_no_quantity_is_refused(cliente: FlaskClient, cantidad: str) -> None:
    cuerpo = json.dumps(ORDEN).replace('"cantidad": 2', f'"cantidad": {cantidad}')
    respuesta = cliente.post("/orders", data=cuerpo, content_type="application/json")
    assert problema(respuesta, 400)["campo"] == "cantidad"


@pytest.mark.parametrize("campo", ORDEN)
def test_a_missing_field_is_named_in_both_formats(cliente: FlaskClient, campo: str) -> None:
    resto = {c: v for c, v in ORDEN.items() if c != campo}
    for cuerpo, tipo in ((json.dumps(resto), "application/json"), (en_xml(resto), "application/xml")):
        documento = problema(cliente.post("/orders", data=cuerpo, content_type=tipo), 400)
        assert documento["campo"] == campo
        assert "missing" in documento["detail"]


def test_all_wrong_fields_are_named_at_once(cliente: FlaskClient) -> None:
    documento = problema(cliente.post("/orders", json={"user_id": "ana", "cantidad": -1}), 400)
    assert [error["campo"] for error in documento["errores"]] == ["id_producto", "cantidad", "direccion_entrega"]


@pytest.mark.parametrize("valor", ["", "dos", "1.5", "1e1", "0x2", "٢", "2 2", "9" * 50, "<a>2</a>", "<a/>"])
def test_text_that_is_no_quantity_is_refused_in_xml(cliente: FlaskClient, valor: str) -> None:
    cuerpo = en_xml(ORDEN).replace("<cantidad>2<", f"<cantidad>{valor}<")
    assert problema(cliente.post("/orders", data=cuerpo, content_type="text/xml"), 400)["campo"] == "cantidad"


def test_a_repeated_element_is_refused(cliente: FlaskClient) -> None:
    cuerpo = en_xml(ORDEN).replace("</pedido>", "<cantidad>3</cantidad></pedido>")
    assert problema(cliente.post("/orders", data=cuerpo, content_type="text/xml"), 400)["campo"] == "cantidad"


@pytest.mark.parametrize("extra", [{"nota": "x"}, {"nota": {"a": [1, None]}}, {"id_orden": ID}, {"estado": "iniciada"}])
def test_other_fields_are_ignored(cliente: FlaskClient, publicador: PublicadorFalso, extra: dict[str, Any]) -> None:
    assert cliente.post("/orders", json=ORDEN | extra).status_code == 202
    assert str(publicador.unico(CrearOrden).data.id_orden) != ID


@pytest.mark.parametrize(
    "crudo",
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
    ids=lambda crudo: repr(crudo[:20]),
)
def test_a_body_that_is_no_json_object_is_refused(cliente: FlaskClient, crudo: bytes) -> None:
    assert "campo" not in problema(cliente.post("/orders", data=crudo, content_type="application/json"), 400)


BOMBA = '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + en_xml(ORDEN | {"user_id": "@"})


@pytest.mark.parametrize(
    "cuerpo",
    [
        "",
        "texto",
        "<a>",
        "<a></b>",
        "<a/><b/>",
        en_xml(ORDEN).replace("<pedido>", "<pedido>ana"),
        en_xml(ORDEN).replace("</pedido>", "ana</pedido>"),
        "<a>" * 20_000,
        "<!DOCTYPE a>" + en_xml(ORDEN),
        '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd">' + en_xml(ORDEN),
        BOMBA.replace("@", "&b;"),
        BOMBA.replace("@", "ana"),
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + en_xml(ORDEN).replace("ana", "&x;"),
        en_xml(ORDEN).replace("ana", "&x;"),
        en_xml(ORDEN).replace("ana", "&#0;"),
        en_xml(ORDEN).replace("ana", "&#xD83D;"),
        en_xml(ORDEN).replace("ana", "a\0b"),
        '<?xml version="1.0" encoding="martian"?>' + en_xml(ORDEN),
        '<?xml version="1.0" encoding="shift_jis"?>' + en_xml(ORDEN),
        '<?xml version="1.0" encoding="hex"?>' + en_xml(ORDEN),
        '<?xml version="1.0" encoding="utf-16"?>' + en_xml(ORDEN),
    ],
    ids=lambda cuerpo: cuerpo[:40],
)
def test_a_body_that_is_no_plain_xml_is_refused(cliente: FlaskClient, cuerpo: str) -> None:
    assert "campo" not in problema(cliente.post("/orders", data=cuerpo, content_type="application/xml"), 400)


def test_latin_1_is_refused_in_xml(cliente: FlaskClient) -> None:
    cuerpo = ('<?xml version="1.0" encoding="ISO-8859-1"?>' + en_xml(ORDEN | {"user_id": "ñ"})).replace("🚚", "")
    problema(cliente.post("/orders", data=cuerpo.encode("latin-1"), content_type="application/xml"), 400)


@pytest.mark.parametrize(("niveles", "estado"), [(PROFUNDIDAD, 202), (PROFUNDIDAD + 1, 400), (9_000, 400)])
def test_what_is_not_known_is_ignored_unless_it_is_too_deep(cliente: FlaskClient, niveles: int, estado: int) -> None:
    hondo = "<a>" * niveles + "</a>" * niveles
    cuerpo = en_xml(ORDEN).replace("</pedido>", f"{hondo}</pedido>")
    respuesta = cliente.post("/orders", data=cuerpo, content_type="application/xml")
    assert respuesta.status_code == estado
    assert estado == 202 or "deep" in problema(respuesta, 400)["detail"]


@pytest.mark.parametrize(
    "tipo", [None, "", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "a/b;c=ñ"]
)
def test_other_media_types_are_refused(cliente: FlaskClient, tipo: str | None) -> None:
    problema(cliente.post("/orders", data=json.dumps(ORDEN), content_type=tipo), 415)


@pytest.mark.parametrize("tipo", ["application/json", "application/xml"])
def test_a_body_over_64_kib_is_refused(cliente: FlaskClient, tipo: str) -> None:
    cuerpo = (json.dumps(ORDEN) if tipo.endswith("json") else en_xml(ORDEN)).encode()
    assert cliente.post("/orders", data=cuerpo.ljust(MAX_CUERPO), content_type=tipo).status_code == 202
    documento = problema(cliente.post("/orders", data=cuerpo.ljust(MAX_CUERPO + 1), content_type=tipo), 413)
    assert str(MAX_CUERPO) in documento["detail"]


def test_the_largest_quantity_is_a_setting(publicador: PublicadorFalso) -> None:
    cliente = crear_app(publicador, LecturasFalsas(), max_cantidad=3).test_client()
    assert problema(cliente.post("/orders", json=ORDEN | {"cantidad": 4}), 400)["campo"] == "cantidad"
    assert cliente.post("/orders", json=ORDEN | {"cantidad": 3}).status_code == 202


@pytest.mark.parametrize("stock", [0, 10, 2**31 - 1])
def test_a_product_is_published(cliente: FlaskClient, publicador: PublicadorFalso, stock: int) -> None:
    respuesta = cliente.post("/productos/", json={"nombre": " Café ", "stock": stock})
    datos = publicador.unico(CrearProducto).data
    assert (datos.nombre, datos.stock) == ("Café", stock)
    assert respuesta.status_code == 202
    assert respuesta.json == {"mssg": "Procesando mensaje", "id": str(datos.id_producto)}
    assert respuesta.headers["Location"] == f"/productos/{datos.id_producto}"


@pytest.mark.parametrize(
    ("campo", "valor"), [("stock", -1), ("stock", 2**31), ("stock", "1"), ("stock", math.pi), ("nombre", "")]
)
def test_a_wrong_product_is_refused(cliente: FlaskClient, campo: str, valor: object) -> None:
    respuesta = cliente.post("/productos", json={"nombre": "Té", "stock": 1} | {campo: valor})
    assert problema(respuesta, 400)["campo"] == campo


def test_a_product_is_deleted_by_a_command(cliente: FlaskClient, publicador: PublicadorFalso) -> None:
    respuesta = cliente.delete(f"/productos/{ID.upper()}")
    assert publicador.unico(EliminarProducto).data == EliminarProducto(Id(ID))
    assert (respuesta.status_code, respuesta.json) == (202, {"mssg": "Procesando mensaje", "id": ID})
    assert respuesta.headers["Location"] == f"/productos/{ID}"


@pytest.mark.parametrize(
    ("cuerpo", "tipo", "nombre"),
    [
        ("{}", "application/json", None),
        ('{"nombre":null}', "application/json", None),
        ('{"nombre":"Ana"}', "application/json", "Ana"),
        ("<conductor/>", "text/xml", None),
        ("<conductor><nombre>Ana</nombre></conductor>", "text/xml", "Ana"),
    ],
)
def test_a_driver_is_registered_with_or_without_a_name(
    cliente: FlaskClient, publicador: PublicadorFalso, cuerpo: str, tipo: str, nombre: str | None
) -> None:
    respuesta = cliente.post("/conductores", data=cuerpo, content_type=tipo)
    datos = publicador.unico(RegistrarConductor).data
    assert datos.nombre == nombre
    assert (respuesta.status_code, respuesta.json) == (
        202,
        {"mssg": "Procesando mensaje", "id_conductor": str(datos.id_conductor)},
    )
    documento = problema(cliente.get(respuesta.headers["Location"]), 404)
    assert "can't be read" in documento["detail"]
