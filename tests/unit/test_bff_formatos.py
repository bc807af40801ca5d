"""The format of an answer is what Accept asks for: everything, in every format; a format is one line."""

import json
from typing import Any
from xml.etree.ElementTree import Element

import pytest
import yaml
from defusedxml.ElementTree import fromstring
from flask.testing import FlaskClient

from bff import formatos
from bff.app import crear_app
from bff.formatos import FORMATOS, Formato
from functions.comun.mensajes import CrearOrden
from tests.fakes import LecturasFalsas, PublicadorFalso
from tests.unit.test_bff_comandos import ID, ORDEN
from tests.unit.test_bff_consultas import FILA, PASO, PRODUCTO, RUTAS_DE_LECTURA

NULO = "{http://www.w3.org/2001/XMLSchema-instance}nil"
PROBLEMA = "{urn:ietf:rfc:7807}"


@pytest.fixture
def publicador() -> PublicadorFalso:
    return PublicadorFalso()


@pytest.fixture
def cliente(publicador: PublicadorFalso) -> FlaskClient:
    return crear_app(publicador, LecturasFalsas([FILA], [PRODUCTO], [PASO])).test_client()


def en_json(elemento: Element) -> Any:
    """What a client reads in our XML: lists by their `i`, texts as they are."""
    if elemento.get(NULO) == "true":
        return None
    if len(elemento) and all(hijo.tag == "i" for hijo in elemento):
        return [en_json(hijo) for hijo in elemento]
    return {hijo.tag: en_json(hijo) for hijo in elemento} if len(elemento) else elemento.text


def textos(valor: Any) -> Any:
    """JSON without types, as XML has it."""
    match valor:
        case dict():
            return {clave: textos(v) for clave, v in valor.items()}
        case list():
            return [textos(v) for v in valor]
        case None:
            return None
    return valor if isinstance(valor, str) else json.dumps(valor)


@pytest.mark.parametrize("ruta", RUTAS_DE_LECTURA)
@pytest.mark.parametrize("tipo", ["application/xml", "text/xml"])
def test_every_read_says_the_same_in_xml_as_in_json(cliente: FlaskClient, ruta: str, tipo: str) -> None:
    xml = cliente.get(ruta, headers={"Accept": tipo})
    assert (xml.status_code, xml.mimetype) == (200, tipo)
    assert xml.vary.as_set() == {"accept"}
    assert en_json(fromstring(xml.data)) == textos(cliente.get(ruta).json)


@pytest.mark.parametrize(
    ("accept", "tipo"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/*", "text/xml"),
        ("application/xml;q=0.5, application/json;q=0.4", "application/xml"),
        ("text/html, application/json;q=0.1", "application/json"),
    ],
)
def test_the_client_chooses(cliente: FlaskClient, accept: str | None, tipo: str) -> None:
    assert cliente.get("/orders", headers={"Accept": accept} if accept else {}).mimetype == tipo


def test_a_format_that_is_none_of_ours_is_refused_before_anything_is_done(
    cliente: FlaskClient, publicador: PublicadorFalso
) -> None:
    respuesta = cliente.post("/orders", json=ORDEN, headers={"Accept": "text/html"})
    assert (respuesta.status_code, respuesta.mimetype) == (406, "application/problem+json")
    assert "text/html" in json.loads(respuesta.data)["detail"]
    assert publicador.publicados == []


def test_an_order_is_posted_and_answered_in_any_mix_of_formats(
    cliente: FlaskClient, publicador: PublicadorFalso
) -> None:
    respuesta = cliente.post("/orders", json=ORDEN, headers={"Accept": "application/xml"})
    dicho = en_json(fromstring(respuesta.data))
    orden = publicador.unico(CrearOrden).data
    assert (respuesta.status_code, dicho["mssg"]) == (202, "Procesando mensaje")
    assert (dicho["id_orden"], dicho["transaction_id"]) == (orden.id_orden, orden.transaction_id)


@pytest.mark.parametrize("ruta", ["/nada", f"/orders/{ID.replace('6', '7')}"])
def test_an_error_in_xml_is_a_problem_document_too(cliente: FlaskClient, ruta: str) -> None:
    respuesta = cliente.get(ruta, headers={"Accept": "application/xml"})
    raiz = fromstring(respuesta.data)
    assert (respuesta.status_code, respuesta.content_type) == (404, "application/problem+xml")
    assert raiz.tag == f"{PROBLEMA}problem"
    assert raiz.findtext(f"{PROBLEMA}status") == "404"
    assert raiz.findtext(f"{PROBLEMA}detail")


def test_all_wrong_fields_are_named_in_xml_too(cliente: FlaskClient) -> None:
    respuesta = cliente.post("/orders", json={"user_id": ""}, headers={"Accept": "text/xml"})
    campos = fromstring(respuesta.data).findall(f"{PROBLEMA}errores/{PROBLEMA}i/{PROBLEMA}campo")
    assert [campo.text for campo in campos] == ["id_producto", "user_id", "cantidad", "direccion_entrega"]


def test_what_no_xml_may_hold_is_replaced(publicador: PublicadorFalso) -> None:
    """The BFF takes no such text, but a read model may have it from elsewhere."""
    raro = FILA | {"user_id": "a\x01\ufffe\ud800b<&>"}
    cliente = crear_app(publicador, LecturasFalsas([raro])).test_client()
    respuesta = cliente.get(f"/orders/{ID}", headers={"Accept": "application/xml"})
    assert en_json(fromstring(respuesta.data))["user_id"] == "a\ufffd\ufffd\ufffdb<&>"


def test_a_third_format_is_one_line(
    monkeypatch: pytest.MonkeyPatch, cliente: FlaskClient, publicador: PublicadorFalso
) -> None:
    """YAML here: read, written, negotiated, errors too, and nothing else knows of it."""

    def escribir(datos: object) -> bytes:
        return bytes(
            yaml.safe_dump(json.loads(formatos.FORMATOS["application/json"].escribir(datos)), encoding="utf-8")
        )

    monkeypatch.setitem(
        FORMATOS, "application/yaml", Formato(yaml.safe_load, escribir, "application/problem+yaml", escribir)
    )
    tipos = {"Content-Type": "application/yaml", "Accept": "application/yaml"}
    respuesta = cliente.post("/orders", data=yaml.safe_dump(ORDEN), headers=tipos)
    assert (respuesta.status_code, respuesta.mimetype) == (202, "application/yaml")
    assert yaml.safe_load(respuesta.data)["id_orden"] == str(publicador.unico(CrearOrden).data.id_orden)
    assert cliente.get("/orders", headers=tipos).mimetype == "application/yaml"
    error = cliente.post("/orders", data="cantidad: 0", headers=tipos)
    assert (error.status_code, error.mimetype) == (400, "application/problem+yaml")
