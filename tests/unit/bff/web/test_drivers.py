"""Drivers over HTTP: registered, read, renamed, retired; in JSON and in XML."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import Client

from bff.access.tokens import Authentication
from bff.app import create_app
from bff.backends.read_models import Row
from functions.messages.codec import codec
from functions.messages.ids import Id, new
from functions.messages.payloads import ComandoRegistrarConductor, ComandoRenombrarConductor, ComandoRetirarConductor
from tests.support import through_door
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.access.test_access import SECRET, token
from tests.unit.bff.web.test_commands import ID, as_xml, problem

SINCE = datetime(2026, 3, 1, 7, 30, tzinfo=UTC)
ROW: Row = {"id_conductor": ID, "nombre": "Ana", "estado": "asignado", "id_orden": None, "desde": SINCE}
JSON = {**ROW, "desde": "2026-03-01T07:30:00.000Z"}
URL = f"/conductores/{ID}"
WAIT = {"Prefer": "wait=5"}


class Drivers(FakeReadModels):
    """Shows the driver of each reading, from the first on; the last one stays."""

    def __init__(self, *rows: Row | None) -> None:
        super().__init__()
        self._rows_left = list(rows)

    def conductor(self, id_conductor: Id) -> Row | None:
        row = self._rows_left.pop(0) if len(self._rows_left) > 1 else self._rows_left[0]
        return row and {**row, "id_conductor": id_conductor}


@pytest.fixture
def read_models() -> FakeReadModels:
    return FakeReadModels(conductor_rows=[ROW])


@pytest.fixture
def client(publisher: FakePublisher, read_models: FakeReadModels) -> Client:
    return through_door.client(create_app(publisher, read_models))


def waiting_client(publisher: FakePublisher, *rows: Row | None) -> Client:
    return through_door.client(create_app(publisher, Drivers(*rows)))


def test_a_driver_is_read_in_json_and_in_xml(client: Client) -> None:
    assert client.get(URL).json == JSON
    assert client.get("/conductores").json == [JSON]
    text = client.get(URL, headers={"Accept": "application/xml"}).text
    assert "<estado>asignado</estado>" in text
    assert "<nombre>Ana</nombre>" in text
    assert "nil" in text
    for url in (f"/conductores/{new()}", "/conductores/x"):
        problem(client.get(url), 404)


def test_the_list_has_a_filter_and_pages(client: Client, read_models: FakeReadModels) -> None:
    read_models.conductor_rows = [{**ROW, "id_conductor": new(), "desde": SINCE + timedelta(seconds=n)} for n in (0, 1)]
    first = client.get("/conductores?estado=libre&limit=1")
    (link,) = [part for part in first.headers["Link"].split(", ") if "next" in part]
    assert [row["id_conductor"] for row in first.json or []] == [read_models.conductor_rows[0]["id_conductor"]]
    client.get(link[1 : link.index(">")])
    place = SINCE, read_models.conductor_rows[0]["id_conductor"]
    assert read_models.requests == [(2, {"estado": "libre"}, None), (2, {"estado": "libre"}, place)]
    assert "libre, asignado, retirado" in problem(client.get("/conductores?estado=free"), 400)["detail"]


@pytest.mark.parametrize("media_type", ["application/json", "text/xml"])
def test_a_driver_gets_another_name(client: Client, publisher: FakePublisher, media_type: str) -> None:
    body = '{"nombre": " Eva "}' if media_type == "application/json" else as_xml({"nombre": "Eva"})
    response = client.patch(URL, data=body, content_type=media_type)
    assert (response.status_code, response.headers["Location"]) == (202, URL)
    assert response.json == {"mssg": "Procesando mensaje", "id_conductor": ID}
    assert publisher.only(ComandoRenombrarConductor).data == ComandoRenombrarConductor(Id(ID), "Eva")


@pytest.mark.parametrize("body", [{}, {"nombre": None}, {"nombre": ""}, {"nombre": "x" * 256}, {"nombre": 7}])
def test_a_name_is_text(client: Client, publisher: FakePublisher, body: dict[str, Any]) -> None:
    assert problem(client.patch(URL, json=body), 400)["campo"] == "nombre"
    assert publisher.published == []


def test_a_driver_retires(client: Client, publisher: FakePublisher) -> None:
    response = client.delete(URL)
    assert (response.status_code, response.headers["Location"]) == (202, URL)
    assert response.json == {"mssg": "Procesando mensaje", "id_conductor": ID}
    assert publisher.only(ComandoRetirarConductor).data == ComandoRetirarConductor(Id(ID))


def test_nothing_is_sent_about_a_driver_who_is_not_there(client: Client, publisher: FakePublisher) -> None:
    for response in (
        client.patch(f"/conductores/{new()}", json={"nombre": "Eva"}),
        client.delete(f"/conductores/{new()}"),
    ):
        assert "there is no driver" in problem(response, 404)["detail"]
    assert publisher.published == []


def test_a_new_driver_is_awaited_until_it_can_be_read(publisher: FakePublisher) -> None:
    response = waiting_client(publisher, None, None, ROW).post("/conductores", json={"nombre": "Ana"}, headers=WAIT)
    id_conductor = publisher.only(ComandoRegistrarConductor).data.id_conductor
    assert (response.status_code, response.headers["Preference-Applied"]) == (200, "wait=5")
    assert response.json == {**JSON, "id_conductor": id_conductor}
    assert response.headers["Content-Location"] == response.headers["Location"] == f"/conductores/{id_conductor}"


def test_a_new_name_is_awaited(publisher: FakePublisher) -> None:
    client = waiting_client(publisher, ROW, ROW, {**ROW, "nombre": "Eva"})
    response = client.patch(URL, json={"nombre": "Eva"}, headers=WAIT)
    assert (response.status_code, (response.json or {})["nombre"]) == (200, "Eva")
    response = waiting_client(publisher, ROW).patch(URL, json={"nombre": "Eva"}, headers={"Prefer": "wait=1"})
    assert response.status_code == 202


def test_the_same_request_again_is_the_same_message(client: Client, publisher: FakePublisher) -> None:
    for _ in range(2):
        client.patch(URL, json={"nombre": "Eva"}, headers={"Idempotency-Key": "a"})
    assert len({codec(sent.topic).decode(sent.raw).id for sent in publisher.published}) == 1


def test_a_key_that_was_used_for_another_driver_is_refused(publisher: FakePublisher) -> None:
    headers = {"Idempotency-Key": "a"}
    client = waiting_client(publisher, {**ROW, "nombre": "Ana"})
    assert client.post("/conductores", json={"nombre": "Ana"}, headers=headers).status_code == 202
    assert (
        "another nombre" in problem(client.post("/conductores", json={"nombre": "Eva"}, headers=headers), 422)["detail"]
    )
    assert len(publisher.published) == 1


RIGHTS = [
    ("ana", ("conductores:leer",), 200),
    ("ana", ("conductores:administrar",), 200),
    (ID, ("entregas:confirmar",), 200),
    ("ana", ("entregas:confirmar",), 404),
    (ID, ("ordenes:leer",), 403),
]


@pytest.mark.parametrize(("who", "scopes", "status"), RIGHTS)
def test_who_sees_a_driver(who: str, scopes: tuple[str, ...], status: int, read_models: FakeReadModels) -> None:
    app = create_app(FakePublisher(), read_models, authentication=Authentication(secret=SECRET))
    client = through_door.client(app)
    assert client.get(URL, headers=token(who, *scopes)).status_code == status
    may_list = status == 200 and "entregas:confirmar" not in scopes
    assert client.get("/conductores", headers=token(who, *scopes)).status_code == (200 if may_list else 403)
