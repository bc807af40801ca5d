"""What a body is in, and texts that can be written in several ways: nothing is stored that its sender did not mean."""

import json
from xml.sax.saxutils import escape

import pytest
from flask.testing import FlaskClient

from bff.app import create_app
from functions.messages.payloads import ComandoCrearOrden
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.web.test_commands import ID, ORDEN, as_xml, problem
from tests.unit.bff.web.test_queries import ROW

CAFE = "Caf\u00e9"
XML = as_xml(ORDEN | {"user_id": CAFE})
ASCII_XML = as_xml(ORDEN | {"user_id": "ana", "direccion_entrega": "X"})
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
UTF8 = "application/xml; charset=utf-8"


@pytest.fixture
def client(publisher: FakePublisher) -> FlaskClient:
    return create_app(publisher, FakeReadModels()).test_client()


def declared(encoding: str, xml: str = XML) -> str:
    return f'<?xml version="1.0" encoding="{encoding}"?>{xml}'


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252", "utf-16", "UTF-16LE", "martian", "utf-8"])
@pytest.mark.parametrize(("mark", "media_type"), [("", UTF8), ("\ufeff", "application/xml"), ("\ufeff", UTF8)])
def test_mark_and_charset_outrank_the_declaration(
    client: FlaskClient, publisher: FakePublisher, encoding: str, mark: str, media_type: str
) -> None:
    """RFC 7303; .NET's StringWriter says utf-16 in what is sent in UTF-8."""
    response = client.post("/orders", data=(mark + declared(encoding)).encode(), content_type=media_type)
    assert response.status_code == 202, response.text
    assert publisher.only(ComandoCrearOrden).data.user_id == CAFE


@pytest.mark.parametrize("quote", ['"', "'"])
@pytest.mark.parametrize("encoding", ["ISO-8859-1", "iso-8859-15", "windows-1252", "cp437", "koi8-r"])
def test_a_declaration_alone_that_says_something_else_is_refused(
    client: FlaskClient, publisher: FakePublisher, encoding: str, quote: str
) -> None:
    body = f"<?xml version='1.0' encoding = {quote}{encoding}{quote} standalone='yes'?>{XML}"
    response = client.post("/orders", data=body.encode(), content_type="text/xml")
    detail = problem(response, 400)["detail"]
    assert encoding in detail
    assert "UTF-8" in detail
    assert publisher.published == []


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "US-ASCII", "UTF-8", "utf8"])
def test_ascii_is_the_same_in_all_of_them(client: FlaskClient, encoding: str) -> None:
    body = declared(encoding, ASCII_XML)
    assert client.post("/orders", data=body.encode("ascii"), content_type="application/xml").status_code == 202


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
@pytest.mark.parametrize("media_type", ["application/xml", UTF8, "application/json", "application/json; charset=utf-8"])
def test_other_encodings_are_refused(client: FlaskClient, encoding: str, media_type: str) -> None:
    text = XML if "xml" in media_type else json.dumps(ORDEN | {"user_id": CAFE}, ensure_ascii=False)
    problem(client.post("/orders", data=text.encode(encoding, "ignore"), content_type=media_type), 400)


def test_json_may_have_a_mark(client: FlaskClient, publisher: FakePublisher) -> None:
    body = json.dumps(ORDEN | {"user_id": CAFE}, ensure_ascii=False).encode("utf-8-sig")
    assert client.post("/orders", data=body, content_type="application/json").status_code == 202
    assert publisher.only(ComandoCrearOrden).data.user_id == CAFE


@pytest.mark.parametrize(
    "media_type",
    [
        "Application/JSON",
        "application/json;",
        'application/json ; charset="UTF-8"',
        "application/json; CHARSET=utf8",
        "application/json; profile=x; odata=verbose; charset=Utf-8",
        'application/json; profile="a;b, \\"c"; charset=utf-8',
        "application/json; charset=us-ascii",
        "application/json; charset=",
    ],
)
def test_a_content_type_may_have_parameters(client: FlaskClient, media_type: str) -> None:
    response = client.post("/orders", data=json.dumps(ORDEN), content_type=media_type)
    assert response.status_code == 202, response.text


@pytest.mark.parametrize("value", ["true", "1", " true\n"])
def test_nil_is_null(client: FlaskClient, publisher: FakePublisher, value: str) -> None:
    body = XML.replace("</pedido>", f'<instrucciones_entrega {XSI} xsi:nil="{value}"/></pedido>')
    response = client.post("/orders", data=body.encode(), content_type="application/xml")
    assert response.status_code == 202, response.text
    assert publisher.only(ComandoCrearOrden).data.instrucciones_entrega is None


def test_a_nil_that_is_none_is_text_and_one_where_a_value_must_be_is_an_error(client: FlaskClient) -> None:
    def post(element: str) -> object:
        body = ASCII_XML.replace("<cantidad>2</cantidad>", element).replace("<pedido>", f"<pedido {XSI}>")
        return client.post("/orders", data=body, content_type="application/xml")

    assert post('<cantidad xsi:nil="false">2</cantidad>').status_code == 202  # type: ignore[attr-defined]
    assert post('<cantidad nil="true">2</cantidad>').status_code == 202  # type: ignore[attr-defined]
    assert problem(post('<cantidad xsi:nil="true"/>'), 400)["campo"] == "cantidad"  # type: ignore[arg-type]
    contradiction = problem(post('<cantidad xsi:nil="true">2</cantidad>'), 400)  # type: ignore[arg-type]
    assert "xsi:nil" in contradiction["detail"]


@pytest.mark.parametrize("instructions", [None, "Timbre 2"])
def test_what_is_read_in_xml_can_be_sent_back(publisher: FakePublisher, instructions: str | None) -> None:
    orden = ROW | ORDEN | {"id_orden": ID, "instrucciones_entrega": instructions}
    client = create_app(publisher, FakeReadModels([orden])).test_client()
    in_xml = client.get(f"/orders/{ID}", headers={"Accept": "application/xml"}).data
    assert client.post("/orders", data=in_xml, content_type="application/xml").status_code == 202
    data = publisher.only(ComandoCrearOrden).data
    assert (data.instrucciones_entrega, data.cantidad, data.user_id) == (instructions, 2, "ana")


NFD, NFC = "Jose\u0301", "Jos\u00e9"


@pytest.mark.parametrize("field", ["user_id", "direccion_entrega", "instrucciones_entrega"])
@pytest.mark.parametrize("media_type", ["application/json", "application/xml"])
def test_texts_have_one_unicode_form(
    client: FlaskClient, publisher: FakePublisher, field: str, media_type: str
) -> None:
    orden = ORDEN | {field: NFD}
    body = json.dumps(orden) if media_type.endswith("json") else as_xml({k: escape(str(v)) for k, v in orden.items()})
    assert client.post("/orders", data=body.encode(), content_type=media_type).status_code == 202
    assert getattr(publisher.only(ComandoCrearOrden).data, field) == NFC


def test_names_of_products_and_drivers_and_filters_too(publisher: FakePublisher) -> None:
    read_models = FakeReadModels()
    client = create_app(publisher, read_models).test_client()
    client.post("/productos", json={"nombre": NFD, "stock": 1})
    client.post("/conductores", json={"nombre": NFD})
    assert all(NFC.encode() in outgoing.raw for outgoing in publisher.published)
    client.get("/orders", query_string={"user_id": NFD})
    assert read_models.requests[-1][1] == {"user_id": NFC}


def test_lengths_count_in_that_form(client: FlaskClient) -> None:
    assert client.post("/productos", json={"nombre": "e\u0301" * 255, "stock": 1}).status_code == 202
    problem(client.post("/productos", json={"nombre": "e\u0301" * 256, "stock": 1}), 400)
