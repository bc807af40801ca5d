"""Prefer: wait=N: an order's answer comes when its saga has ended, if that is soon."""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from flask import Flask, request

from bff.app import create_app
from bff.backends.read_models import DatabaseUnavailable, Row
from bff.following.waiting import LONGEST_WAIT, preferred_wait
from functions.messages.ids import Id
from tests.support import through_door
from tests.support.fakes import FakePublisher, FakeReadModels
from tests.unit.bff.web.test_commands import ORDEN


class ChangingReads(FakeReadModels):
    """Each poll of an order reads what `observe` returns for the poll's number, from 0."""

    observe: Callable[[int], Row | None]
    observe_producto: Callable[[int], Row | None]
    observations = 0

    def orden(self, id_orden: Id) -> Row | None:
        row = self.observe(self.observations)
        self.observations += 1
        return row and {**row, "id_orden": id_orden}

    def producto(self, id_producto: Id) -> Row | None:
        row = self.observe_producto(self.observations)
        self.observations += 1
        return row and {"id": id_producto, **row}


def place_orden(
    observe: Callable[[int], Row | None], prefer: str | None, wait_slots: int = 1
) -> tuple[Any, ChangingReads]:
    read_models = ChangingReads()
    read_models.observe = observe
    app = create_app(FakePublisher(), read_models, max_waiting=wait_slots)
    return through_door.client(app).post(
        "/orders", json=ORDEN, headers={"Prefer": prefer} if prefer else {}
    ), read_models


def test_the_answer_is_the_order_once_it_has_ended() -> None:
    estados: list[Row | None] = [None, {"estado": "creada"}, {"estado": "fallida", "motivo": "stock insuficiente"}]
    response, _ = place_orden(lambda n: estados[n], "wait=5")
    assert (response.status_code, response.headers["Preference-Applied"]) == (200, "wait=5")
    assert (response.json["estado"], response.json["motivo"]) == ("fallida", "stock insuficiente")
    assert response.headers["Content-Location"] == f"/orders/{response.json['id_orden']}"


def test_what_has_not_ended_in_time_is_a_202_as_without_the_preference() -> None:
    before = time.monotonic()
    response, _ = place_orden(lambda _: {"estado": "creada"}, "wait=1")
    assert 1 <= time.monotonic() - before < 2
    assert (response.status_code, "Preference-Applied" in response.headers) == (202, False)
    assert set(response.json) == {"mssg", "id_orden", "transaction_id"}


def test_a_product_is_awaited_until_it_can_be_read() -> None:
    read_models, publisher = ChangingReads(), FakePublisher()
    read_models.observe_producto = lambda n: {"nombre": "Té", "stock": 3} if n == 2 else None
    client = through_door.client(create_app(publisher, read_models, max_waiting=1))
    response: Any = client.post("/productos", json={"nombre": "Té", "stock": 3}, headers={"Prefer": "wait=5"})
    assert (response.status_code, response.headers["Preference-Applied"]) == (200, "wait=5")
    (outgoing,) = publisher.published
    assert response.json == {"id": outgoing.key, "resultado": {"id": outgoing.key, "nombre": "Té", "stock": 3}}
    assert response.headers["Location"] == f"/productos/{outgoing.key}"
    read_models.observe_producto = lambda _: None
    response = client.post("/productos", json={"nombre": "Té", "stock": 3}, headers={"Prefer": "wait=1"})
    assert (response.status_code, "Preference-Applied" in response.headers) == (202, False)
    assert set(response.json) == {"mssg", "id"}


def test_nobody_can_wait_for_a_driver() -> None:
    """There is nothing that would show it."""
    client = through_door.client(create_app(FakePublisher(), ChangingReads(), max_waiting=1))
    response = client.post("/conductores", json={}, headers={"Prefer": "wait=9"})
    assert (response.status_code, "Preference-Applied" in response.headers) == (202, False)


def test_nobody_waits_unasked() -> None:
    response, read_models = place_orden(lambda _: None, None)
    assert (response.status_code, read_models.observations) == (202, 0)


def test_a_read_model_that_is_away_does_not_make_an_accepted_order_an_error() -> None:
    def observe(_: int) -> Row | None:
        raise DatabaseUnavailable("away")

    assert place_orden(observe, "wait=5")[0].status_code == 202


def test_only_so_many_wait_at_once_and_the_others_are_answered() -> None:
    read_models, entered, stop = ChangingReads(), threading.Event(), threading.Event()

    def observe(n: int) -> Row | None:
        entered.set()
        return {"estado": "iniciada"} if stop.wait(10) else None

    read_models.observe = observe
    client = partial(through_door.client, create_app(FakePublisher(), read_models, max_waiting=1))
    estados: list[int] = []

    def wait_for() -> None:
        estados.append(client().post("/orders", json=ORDEN, headers={"Prefer": "wait=9"}).status_code)

    first = threading.Thread(target=wait_for)
    first.start()
    assert entered.wait(5)
    assert client().post("/orders", json=ORDEN, headers={"Prefer": "wait=9"}).status_code == 202
    stop.set()
    first.join()
    assert estados == [200]


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ("wait=3", 3),
        ('wait="3"', 3),
        ("respond-async, wait=3", 3),
        ("return=minimal; x=1, WAIT = 3; y", 3),
        ("wait=3, wait=5", 3),
        ("wait=600", LONGEST_WAIT),
        ("wait=0", 0),
        ("wait", 0),
        ("wait=-1", 0),
        ("wait=1.5", 0),
        ("wait=٣", 0),
        ("xwait=3", 0),
        ("", 0),
    ],
)
def test_what_is_preferred(prefer: str, seconds: int) -> None:
    with Flask(__name__).test_request_context(headers={"Prefer": prefer}):
        assert preferred_wait(request) == seconds
