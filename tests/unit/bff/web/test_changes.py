"""What clients ask of an order that is there: the commands that are published for it, who may, and what is too late."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from werkzeug.test import Client

from bff.access.tokens import Authentication
from bff.app import create_app
from bff.backends.read_models import Row
from functions.messages.codec import codec
from functions.messages.ids import Id, new
from functions.messages.payloads import (
    ComandoCancelarOrden,
    ComandoDespacharOrden,
    ComandoDevolverOrden,
    ComandoEntregarOrden,
    Payload,
)
from functions.ordenes.states import TRANSITIONS
from tests.support import through_door
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.access.test_access import SECRET, token
from tests.unit.bff.web.test_commands import ID, as_xml, problem

SAGA, DRIVER = Id("6f1c1d4e-8a3b-4c5d-9e7f-0a1b2c3d4e60"), str(UUID(int=7))
MOMENT = datetime(2026, 3, 1, 7, 30, tzinfo=UTC)
CHANGES: dict[str, tuple[str, dict[str, Any], Payload]] = {
    "cancelacion": ("cancelada", {"motivo": "Ya no"}, ComandoCancelarOrden(Id(ID), SAGA, "Ya no")),
    "despacho": ("despachada", {}, ComandoDespacharOrden(Id(ID), SAGA)),
    "entrega": ("entregada", {"recibido_por": "Eva"}, ComandoEntregarOrden(Id(ID), SAGA, "Eva")),
    "devolucion": ("devuelta", {"motivo": "Nadie"}, ComandoDevolverOrden(Id(ID), SAGA, "Nadie")),
}
FROM = {
    target: next(estado for estado, after in TRANSITIONS.items() if target in after)
    for target in TRANSITIONS
    if target != "creada"
}
WAIT = {"Prefer": "wait=5"}


def row(estado: str, **changes: Any) -> Row:
    dispatched = MOMENT if estado in ("despachada", "entregada", "devuelta") else None
    ids = {"id_orden": ID, "transaction_id": SAGA, "user_id": "ana", "id_driver": DRIVER}
    return {**ids, "estado": estado, "despachada_en": dispatched, **changes}


class Shop(FakeReadModels):
    """Shows the order in one state after the other; the last one stays."""

    def __init__(self, *estados: str) -> None:
        super().__init__()
        self._estados: Iterator[str] = iter(estados[:-1])
        self._last = estados[-1]

    def orden(self, id_orden: Id) -> Row | None:
        return row(next(self._estados, self._last)) if id_orden == ID else None


def shop(publisher: FakePublisher, *estados: str, authentication: Authentication | None = None) -> Client:
    return through_door.client(create_app(publisher, Shop(*estados), authentication=authentication))


@pytest.mark.parametrize("path", CHANGES)
def test_a_change_is_published_and_answered_202(publisher: FakePublisher, path: str) -> None:
    estado, body, comando = CHANGES[path]
    response = shop(publisher, FROM[estado]).post(f"/orders/{ID}/{path}", json=body)
    assert (response.status_code, response.headers["Location"]) == (202, f"/orders/{ID}")
    assert response.json == {"mssg": "Procesando mensaje", "id_orden": ID, "transaction_id": SAGA}
    assert publisher.only(type(comando)).data == comando


def test_xml_says_the_same_and_without_a_body_nothing_is_said(publisher: FakePublisher) -> None:
    client = shop(publisher, "iniciada")
    assert (
        client.post(f"/orders/{ID}/cancelacion", data=as_xml({"motivo": "Ya no"}), content_type="text/xml").status_code
        == 202
    )
    assert publisher.only(ComandoCancelarOrden).data.motivo == "Ya no"
    publisher.published.clear()
    assert client.post(f"/orders/{ID}/cancelacion").status_code == 202
    assert publisher.only(ComandoCancelarOrden).data.motivo is None


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("cancelacion", {"motivo": ""}, "motivo"),
        ("cancelacion", {"motivo": "a" * 1001}, "motivo"),
        ("entrega", {"recibido_por": 3}, "recibido_por"),
        ("devolucion", {}, "motivo"),
    ],
)
def test_what_is_wrong_with_a_field_is_said(publisher: FakePublisher, path: str, body: Any, field: str) -> None:
    assert problem(shop(publisher, "despachada").post(f"/orders/{ID}/{path}", json=body), 400)["campo"] == field
    assert publisher.published == []


@pytest.mark.parametrize("path", CHANGES)
def test_an_unknown_order_is_a_404(publisher: FakePublisher, path: str) -> None:
    response = shop(publisher, "creada").post(f"/orders/{uuid4()}/{path}", json=CHANGES[path][1])
    assert "ask again" in problem(response, 404)["detail"]
    assert publisher.published == []


@pytest.mark.parametrize("path", CHANGES)
def test_whoever_waits_gets_the_order_in_its_new_state(publisher: FakePublisher, path: str) -> None:
    estado, body, comando = CHANGES[path]
    before = FROM[estado]
    response = shop(publisher, before, before, estado).post(f"/orders/{ID}/{path}", json=body, headers=WAIT)
    assert (response.status_code, response.headers["Preference-Applied"]) == (200, "wait=5"), response.text
    assert (response.json or {})["estado"] == estado
    assert response.headers["Content-Location"] == f"/orders/{ID}"
    assert publisher.only(type(comando)).data == comando


def test_what_was_dispatched_and_then_delivered_was_dispatched(publisher: FakePublisher) -> None:
    client = shop(publisher, "iniciada", "entregada")
    assert client.post(f"/orders/{ID}/despacho", headers=WAIT).status_code == 200


@pytest.mark.parametrize("path", CHANGES)
@pytest.mark.parametrize("estado", TRANSITIONS)
def test_what_is_impossible_is_a_409_for_whoever_waits(publisher: FakePublisher, path: str, estado: str) -> None:
    target, body, _ = CHANGES[path]
    was_dispatched = target == "despachada" and estado in ("entregada", "devuelta")
    if estado == target or target in TRANSITIONS[estado] or was_dispatched:
        return
    document = problem(shop(publisher, estado).post(f"/orders/{ID}/{path}", json=body, headers=WAIT), 409)
    assert (document["estado"], document["detail"]) == (estado, f"order {ID} is {estado}: it can't become {target}")
    assert publisher.published == []


def test_who_loses_against_somebody_else_is_told_so(publisher: FakePublisher) -> None:
    response = shop(publisher, "iniciada", "iniciada", "despachada").post(f"/orders/{ID}/cancelacion", headers=WAIT)
    assert problem(response, 409)["estado"] == "despachada"
    assert publisher.only(ComandoCancelarOrden).data.id_orden == ID


def test_the_same_request_again_is_the_same_message(publisher: FakePublisher) -> None:
    client = shop(publisher, "iniciada")
    keys = [str(new()), str(new())]
    for key in (keys[0], keys[0], keys[1]):
        client.post(f"/orders/{ID}/cancelacion", headers={"Idempotency-Key": key})
    first, again, other = (codec(outgoing.topic).decode(outgoing.raw).id for outgoing in publisher.published)
    assert first == again != other


RIGHTS = [
    ("cancelacion", "ana", ("ordenes:crear",), 202),
    ("cancelacion", "eva", ("ordenes:crear",), 404),
    ("cancelacion", "root", ("ordenes:crear", "ordenes:administrar"), 202),
    ("cancelacion", "ana", ("ordenes:leer",), 403),
    ("despacho", "ana", ("ordenes:crear",), 403),
    ("despacho", "root", ("ordenes:administrar",), 202),
    ("entrega", DRIVER, ("entregas:confirmar",), 202),
    ("entrega", "ana", ("entregas:confirmar",), 404),
    ("entrega", "ana", ("ordenes:crear",), 403),
    ("entrega", "root", ("entregas:confirmar", "ordenes:administrar"), 202),
    ("devolucion", DRIVER, ("entregas:confirmar",), 403),
    ("devolucion", "root", ("ordenes:administrar",), 202),
]


@pytest.mark.parametrize(("path", "who", "scopes", "status"), RIGHTS)
def test_customers_cancel_and_drivers_deliver_their_own_and_administrators_all(
    publisher: FakePublisher, path: str, who: str, scopes: tuple[str, ...], status: int
) -> None:
    target, body, _ = CHANGES[path]
    client = shop(publisher, FROM[target], authentication=Authentication(secret=SECRET))
    response = client.post(f"/orders/{ID}/{path}", json=body, headers=token(who, *scopes))
    assert response.status_code == status, response.text
    assert len(publisher.published) == (status == 202)
