"""Answers have the format that Accept asks for, all of them and in every format; a new format is one more entry."""

import json
from typing import Any
from xml.etree.ElementTree import Element

import pytest
import yaml
from defusedxml.ElementTree import fromstring
from flask.testing import FlaskClient

from bff.app import create_app
from bff.bodies import formats
from bff.bodies.formats import FORMATS, Format
from functions.messages.payloads import ComandoCrearOrden
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.web.test_commands import ID, ORDEN
from tests.unit.bff.web.test_queries import MOVIMIENTO, PRODUCTO, READ_PATHS, ROW, STEP

NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
PROBLEM = "{urn:ietf:rfc:7807}"


@pytest.fixture
def client(publisher: FakePublisher) -> FlaskClient:
    return create_app(publisher, FakeReadModels([ROW], [PRODUCTO], [STEP], movimiento_rows=[MOVIMIENTO])).test_client()


def to_json(element: Element) -> Any:
    """The value that a client reads in our XML: elements `i` are a list's members, all else is text."""
    if element.get(NIL) == "true":
        return None
    if len(element) and all(child.tag == "i" for child in element):
        return [to_json(child) for child in element]
    return {child.tag: to_json(child) for child in element} if len(element) else element.text


def texts(value: Any) -> Any:
    """The value of JSON with all types turned into text, for comparison with XML."""
    match value:
        case dict():
            return {key: texts(v) for key, v in value.items()}
        case list():
            return [texts(v) for v in value]
        case None:
            return None
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize("path", READ_PATHS)
@pytest.mark.parametrize("media_type", ["application/xml", "text/xml"])
def test_every_read_says_the_same_in_xml_as_in_json(client: FlaskClient, path: str, media_type: str) -> None:
    xml = client.get(path, headers={"Accept": media_type})
    assert (xml.status_code, xml.mimetype) == (200, media_type)
    assert xml.vary.as_set() == {"accept"}
    assert to_json(fromstring(xml.data)) == texts(client.get(path).json)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/*", "text/xml"),
        ("application/xml;q=0.5, application/json;q=0.4", "application/xml"),
        ("text/html, application/json;q=0.1", "application/json"),
        ("application/json; charset=utf-8", "application/json"),
        ("Application/XML;Charset=UTF-8", "application/xml"),
        ('application/xml; profile="a,b;q=0"; q=0.9, application/json;v=2;q=0.8', "application/xml"),
        ("application/json;charset=utf-8;q=0, */*", "application/xml"),
        ("application/json;v=1;q=0.1, application/json;v=2;q=0.9, text/xml;q=0.5", "application/json"),
        ("text/xml;level=1", "text/xml"),
        ("*/*;charset=utf-8", "application/json"),
    ],
)
def test_the_client_chooses(client: FlaskClient, accept: str | None, media_type: str) -> None:
    assert client.get("/orders", headers={"Accept": accept} if accept else {}).mimetype == media_type


def test_a_format_that_is_none_of_ours_is_refused_before_anything_is_done(
    client: FlaskClient, publisher: FakePublisher
) -> None:
    for accept in ("text/html", "text/html;charset=utf-8", "application/json;charset=utf-8;q=0"):
        response = client.post("/orders", json=ORDEN, headers={"Accept": accept})
        assert (response.status_code, response.mimetype) == (406, "application/problem+json")
        assert accept.partition(";")[0] in json.loads(response.data)["detail"]
    assert publisher.published == []


def test_an_order_is_posted_and_answered_in_any_mix_of_formats(client: FlaskClient, publisher: FakePublisher) -> None:
    response = client.post("/orders", json=ORDEN, headers={"Accept": "application/xml"})
    as_json = to_json(fromstring(response.data))
    orden = publisher.only(ComandoCrearOrden).data
    assert (response.status_code, as_json["mssg"]) == (202, "Procesando mensaje")
    assert (as_json["id_orden"], as_json["transaction_id"]) == (orden.id_orden, orden.transaction_id)


@pytest.mark.parametrize("path", ["/nada", f"/orders/{ID.replace('6', '7')}"])
def test_an_error_in_xml_is_a_problem_document_too(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers={"Accept": "application/xml"})
    root = fromstring(response.data)
    assert (response.status_code, response.content_type) == (404, "application/problem+xml")
    assert root.tag == f"{PROBLEM}problem"
    assert root.findtext(f"{PROBLEM}status") == "404"
    assert root.findtext(f"{PROBLEM}detail")


def test_all_wrong_fields_are_named_in_xml_too(client: FlaskClient) -> None:
    response = client.post("/orders", json={"user_id": ""}, headers={"Accept": "text/xml"})
    fields = fromstring(response.data).findall(f"{PROBLEM}errores/{PROBLEM}i/{PROBLEM}campo")
    assert [field.text for field in fields] == ["id_producto", "user_id", "cantidad", "direccion_entrega"]


def test_what_no_xml_may_hold_is_replaced(publisher: FakePublisher) -> None:
    """The BFF accepts no such text, but another writer may have put it into a read model."""
    odd = ROW | {"user_id": "a\x01\ufffe\ud800b<&>"}
    client = create_app(publisher, FakeReadModels([odd])).test_client()
    response = client.get(f"/orders/{ID}", headers={"Accept": "application/xml"})
    assert to_json(fromstring(response.data))["user_id"] == "a\ufffd\ufffd\ufffdb<&>"


def test_a_third_format_is_one_line(
    monkeypatch: pytest.MonkeyPatch, client: FlaskClient, publisher: FakePublisher
) -> None:
    """With one entry for YAML bodies are read, written and negotiated, errors too, without any other change."""

    def write(data: object) -> bytes:
        return bytes(yaml.safe_dump(json.loads(formats.FORMATS["application/json"].write(data)), encoding="utf-8"))

    monkeypatch.setitem(FORMATS, "application/yaml", Format(yaml.safe_load, write, "application/problem+yaml", write))
    media_type_headers = {"Content-Type": "application/yaml", "Accept": "application/yaml"}
    response = client.post("/orders", data=yaml.safe_dump(ORDEN), headers=media_type_headers)
    assert (response.status_code, response.mimetype) == (202, "application/yaml")
    assert yaml.safe_load(response.data)["id_orden"] == str(publisher.only(ComandoCrearOrden).data.id_orden)
    assert client.get("/orders", headers=media_type_headers).mimetype == "application/yaml"
    error = client.post("/orders", data="cantidad: 0", headers=media_type_headers)
    assert (error.status_code, error.mimetype) == (400, "application/problem+yaml")
