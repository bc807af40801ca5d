"""Orders that get stuck: pushed on again and again, given up in the end, and never wrong afterwards."""

import json
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.chaos import outage
from tests.e2e.instance_helpers import backlog, skip_all
from tests.e2e.test_saga import HAPPY_PATH, crear_producto, final, registrar_conductores, request_orden, stock
from tests.support.platform import Platform, wait_for
from tests.support.reconfigure import functions, reconfigure

pytestmark = pytest.mark.e2e

ASIGNAR = "persistent://monoliticas/conductores/comando-asignar-conductor"
WAITS = [2, 3, 5]
"""Seconds before the checks, in place of minutes."""


@pytest.fixture(scope="module")
def short_deadlines(platform: Platform) -> Iterator[Platform]:
    """Checks come after seconds, not minutes; orders are still given up after a day."""
    for name in ("crear-orden", "verificar-orden"):
        reconfigure(platform, "ordenes", name, DEMORAS={"ordenes/comando-verificar-orden": WAITS})
    yield platform
    platform.run_with_env(sys.executable, "pulsar-admin-scripts/deploy.py", "crear-orden", "verificar-orden")


@pytest.fixture
def start_function(short_deadlines: Platform) -> Iterator[Callable[[], None]]:
    """Starts the function asignar-conductor, which is stopped, its backlog empty."""
    functions(short_deadlines, "stop", "conductores", "asignar-conductor")
    wait_for("its end", lambda: not short_deadlines.instances("asignar-conductor"))
    with ExitStack() as on_exit:
        on_exit.callback(functions, short_deadlines, "start", "conductores", "asignar-conductor")
        yield on_exit.close


def test_an_order_whose_message_was_lost_is_pushed_on(
    short_deadlines: Platform, start_function: Callable[[], None]
) -> None:
    """An operator skips a message by mistake; nobody else does anything."""
    platform = short_deadlines
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 1)
    id_orden = request_orden(platform, id_producto, 2)
    wait_for("a message for asignar-conductor", lambda: backlog(platform, ASIGNAR, "asignar-conductor"))
    skip_all(platform, ASIGNAR, "asignar-conductor")  # well before the deadline, which brings the message again
    assert backlog(platform, ASIGNAR, "asignar-conductor") == 0
    start_function()
    orden, saga = final(platform, id_orden)
    assert (orden["estado"], saga) == ("iniciada", HAPPY_PATH)
    assert stock(platform, id_producto) == 3


def test_an_order_that_is_given_up_is_undone_and_late_messages_change_nothing(
    short_deadlines: Platform, start_function: Callable[[], None]
) -> None:
    platform = short_deadlines
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 1)
    id_orden = request_orden(platform, id_producto, 2)
    wait_for("the request for a driver", lambda: backlog(platform, ASIGNAR, "asignar-conductor"))
    make_older(platform, id_orden)
    orden, saga = final(platform, id_orden)
    assert (orden["estado"], orden["motivo"], orden["id_driver"]) == ("fallida", "plazo vencido", None)
    compensacion = ["liberar-conductor", "revertir-disminuir-stock", "revertir-orden-creada"]
    assert saga == [*HAPPY_PATH[:3], *(f"comando-{step}" for step in compensacion)]
    assert stock(platform, id_producto) == 5

    start_function()
    wait_for("the late message is done", lambda: backlog(platform, ASIGNAR, "asignar-conductor") == 0)
    late_refusals = "select count(*) from recibos where funcion = 'revertir-disminuir-stock'"
    wait_for("its refusal", lambda: platform.sql("productos", late_refusals)[0][0] >= 2)
    assert platform.request("GET", f"/orders/{id_orden}")[1] == orden
    assert stock(platform, id_producto) == 5
    assert platform.sql("conductores", "select count(*) from conductores where libre") == [(1,)]


def make_older(platform: Platform, id_orden: str) -> None:
    """By more than the day that an order has."""
    older = "update ordenes set creada_en = creada_en - interval '25 hours' where id_orden = :id returning 1"
    wait_for("the order", lambda: platform.sql("ordenes", older, id=id_orden))


def deadlines(platform: Platform, *args: str) -> str:
    return platform.run_with_env(sys.executable, "pulsar-admin-scripts/deadlines.py", *args)


def test_an_operator_suspends_giving_up_and_resumes_it(
    short_deadlines: Platform, start_function: Callable[[], None]
) -> None:
    platform = short_deadlines
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 1)
    said = deadlines(platform, "suspend", "--operator", "ana", "--reason", "el almacen no responde")
    assert "no order is given up" in said
    try:
        suspended = "select suspendidos from plazos order by numero desc limit 1"
        wait_for("the suspension", lambda: platform.sql("ordenes", suspended) == [(True,)])
        assert "suspended since" in deadlines(platform, "status")
        id_orden = request_orden(platform, id_producto, 2)
        make_older(platform, id_orden)
        checks = "select count(*) from recibos where funcion = 'verificar-orden'"
        before = platform.sql("ordenes", checks)[0][0]
        wait_for("two checks", lambda: platform.sql("ordenes", checks)[0][0] >= before + 2)
        assert platform.request("GET", f"/orders/{id_orden}")[1]["estado"] == "creada"
    finally:
        deadlines(platform, "resume", "--operator", "luz", "--reason", "responde")
    assert final(platform, id_orden)[0]["motivo"] == "plazo vencido"
    assert json.loads(deadlines(platform, "status", "--json")) | {"since": None} == {
        "suspended": False,
        "since": None,
        "operator": "luz",
        "reason": "responde",
    }


@pytest.mark.parametrize("what", ["productos", "ordenes+conductores+saga"])
def test_an_outage_of_databases_that_is_longer_than_three_pushes_fails_no_order(
    short_deadlines: Platform, what: str
) -> None:
    seconds = sum(WAITS) + 3
    broken = outage.run(short_deadlines, what, seconds, rate=10, seed=random.randrange(10**6), timeout=180)
    assert not broken


def test_a_deadline_does_nothing_to_an_order_that_has_ended(short_deadlines: Platform) -> None:
    platform = short_deadlines
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 1)
    id_orden = request_orden(platform, id_producto)
    before = final(platform, id_orden)
    checked = "select count(*) from recibos where funcion = 'verificar-orden'"
    receipts_before = platform.sql("ordenes", checked)
    wait_for("the deadline", lambda: platform.sql("ordenes", checked) > receipts_before)
    assert final(platform, id_orden) == before
    assert stock(platform, id_producto) == 4
