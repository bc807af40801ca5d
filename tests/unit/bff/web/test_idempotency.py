"""Idempotency-Key: the same request leads to the same ids and the same message, whichever BFF gets it."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from bff.app import create_app
from bff.backends.read_models import Row
from functions.messages.codec import codec
from functions.messages.envelope import Message
from functions.messages.ids import Id
from functions.messages.payloads import Payload
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.web.test_commands import ORDEN, problem

IDEMPOTENCY_KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
BODIES: dict[str, dict[str, Any]] = {
    "/orders": ORDEN,
    "/productos": {"nombre": "Té", "stock": 3},
    "/conductores": {"nombre": "Ana"},
}


def bff(publisher: FakePublisher, read_models: FakeReadModels | None = None) -> FlaskClient:
    """A client of a new application for each request: nothing is kept between requests."""
    return create_app(publisher, read_models or FakeReadModels()).test_client()


def messages(publisher: FakePublisher) -> list[Message[Payload]]:
    return [codec(outgoing.topic).decode(outgoing.raw) for outgoing in publisher.published]


@pytest.mark.parametrize("path", BODIES)
def test_the_same_request_again_is_the_same_message_with_the_same_answer(publisher: FakePublisher, path: str) -> None:
    responses = [bff(publisher).post(path, json=BODIES[path], headers=IDEMPOTENCY_KEY) for _ in range(3)]
    assert {response.status_code for response in responses} == {202}
    assert len({response.data for response in responses}) == 1
    assert len({response.headers.get("Location") for response in responses}) == 1
    assert len({message.id for message in messages(publisher)}) == 1
    assert len({outgoing.key for outgoing in publisher.published}) == 1


@pytest.mark.parametrize("path", BODIES)
def test_without_a_key_or_with_another_one_each_request_is_new(publisher: FakePublisher, path: str) -> None:
    for headers in ({}, {}, IDEMPOTENCY_KEY, {"Idempotency-Key": "otra"}):
        bff(publisher).post(path, json=BODIES[path], headers=headers)
    assert len({message.id for message in messages(publisher)}) == 4
    assert len({outgoing.key for outgoing in publisher.published}) == 4


def test_a_key_means_nothing_on_another_route_and_quotes_around_it_nothing_at_all(publisher: FakePublisher) -> None:
    quoted = {"Idempotency-Key": f'"{IDEMPOTENCY_KEY["Idempotency-Key"]}"'}
    for path, headers in (("/orders", IDEMPOTENCY_KEY), ("/orders/", quoted), ("/productos", IDEMPOTENCY_KEY)):
        assert bff(publisher).post(path, json=BODIES[path.rstrip("/")], headers=headers).status_code == 202
    first, second, producto = (outgoing.key for outgoing in publisher.published)
    assert first == second != producto


def test_another_body_before_the_first_can_be_read_is_another_message_about_the_same_order(
    publisher: FakePublisher,
) -> None:
    """It is another message about the same order: the function finds the order and leaves it as it is."""
    for cantidad in (2, 3):
        assert (
            bff(publisher).post("/orders", json=ORDEN | {"cantidad": cantidad}, headers=IDEMPOTENCY_KEY).status_code
            == 202
        )
    first, second = messages(publisher)
    assert first.id != second.id
    assert publisher.published[0].key == publisher.published[1].key


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        *(("/orders", "cantidad", 3), ("/orders", "instrucciones_entrega", "Tocar")),
        *(("/productos", "nombre", "Café"), ("/productos", "stock", 4)),
    ],
)
def test_another_body_under_the_key_of_something_that_can_be_read_is_refused(
    publisher: FakePublisher, path: str, field: str, value: object
) -> None:
    body = BODIES[path]
    bff(publisher).post(path, json=body, headers=IDEMPOTENCY_KEY)
    created_id = publisher.published[0].key
    row = {"instrucciones_entrega": None, **body, "id_orden": created_id, "id": created_id}
    read_models = FakeReadModels([row], [row])
    response = bff(publisher, read_models).post(path, json=body | {field: value}, headers=IDEMPOTENCY_KEY)
    assert field in problem(response, 422)["detail"]
    assert len(publisher.published) == 1
    assert bff(publisher, read_models).post(path, json=body, headers=IDEMPOTENCY_KEY).status_code == 202


@pytest.mark.parametrize("key", ["", " ", "a b", "á", "x" * 256, "a\x7f"])
def test_what_can_be_no_key_is_refused(publisher: FakePublisher, key: str) -> None:
    response = bff(publisher).post("/orders", json=ORDEN, headers={"Idempotency-Key": key})
    assert "Idempotency-Key" in problem(response, 400)["detail"]
    assert publisher.published == []


def test_a_stock_that_orders_may_have_changed_is_not_compared(publisher: FakePublisher) -> None:
    class SoldFrom(FakeReadModels):
        def created_producto(self, id_producto: Id) -> Row | None:
            return {"nombre": "Té"}

    for stock in (3, 4):
        body = {"nombre": "Té", "stock": stock}
        assert bff(publisher, SoldFrom()).post("/productos", json=body, headers=IDEMPOTENCY_KEY).status_code == 202
    body = {"nombre": "Café", "stock": 3}
    problem(bff(publisher, SoldFrom()).post("/productos", json=body, headers=IDEMPOTENCY_KEY), 422)


def test_a_text_in_either_unicode_form_is_the_same_request(publisher: FakePublisher) -> None:
    for name in ("Jose\u0301", "Jos\u00e9"):
        bff(publisher).post("/orders", json=ORDEN | {"user_id": name}, headers=IDEMPOTENCY_KEY)
    assert len({message.id for message in messages(publisher)}) == 1
