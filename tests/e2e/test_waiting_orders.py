"""Orders that wait for a driver, on the whole platform."""

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.e2e.test_order_life import done, iniciada, libres, steps
from tests.e2e.test_saga import HAPPY_PATH, crear_producto, final, registrar_conductores, request_orden, stock
from tests.support.platform import Platform, wait_for
from tests.support.reconfigure import reconfigure

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def patient(platform: Platform) -> Iterator[Platform]:
    """Orders wait for a driver, for longer than any test."""
    reconfigure(platform, "conductores", "asignar-conductor", ESPERA_CONDUCTOR=3600)
    yield platform
    platform.run_with_env(sys.executable, "pulsar-admin-scripts/deploy.py", "asignar-conductor")


def waiting(platform: Platform) -> int:
    return int(platform.sql("conductores", "select count(*) from esperas")[0][0])


def test_few_drivers_serve_many_orders(patient: Platform) -> None:
    """Whoever delivers takes the next order: all of them are delivered, and none is refused."""
    orders, drivers = 60, 4
    id_producto = crear_producto(patient, orders)
    registrar_conductores(patient, drivers)
    ids = [request_orden(patient, id_producto) for _ in range(orders)]
    wait_for("those without a driver", lambda: waiting(patient) == orders - drivers)

    def deliver(id_orden: str) -> str:
        orden = wait_for("its driver", lambda: with_driver(patient, id_orden))
        done(patient, orden, "despacho")
        return str(done(patient, orden, "entrega")["estado"])

    with ThreadPoolExecutor(orders) as everybody:
        assert set(everybody.map(deliver, ids)) == {"entregada"}
    wait_for("the drivers", lambda: libres(patient) == drivers)
    assert waiting(patient) == 0
    assert stock(patient, id_producto) == 0
    served = """
        select estado, count(*), count(distinct id_conductor) from asignaciones
        where id_orden = any(cast(:ids as uuid[])) group by 1"""
    assert patient.sql("conductores", served, ids=ids) == [("completada", orders, drivers)]


def with_driver(platform: Platform, id_orden: str) -> Any:
    """The order, if it has a driver."""
    status, orden, _ = platform.request("GET", f"/orders/{id_orden}")
    return orden if status == 200 and orden["estado"] == "iniciada" else None


def test_a_cancelled_orders_driver_and_a_new_one_go_to_those_that_wait(patient: Platform) -> None:
    id_producto = crear_producto(patient, 10)
    registrar_conductores(patient, 1)
    first = iniciada(patient, id_producto)
    second, third = (request_orden(patient, id_producto) for _ in range(2))
    wait_for("both", lambda: waiting(patient) == 2)
    done(patient, first, "cancelacion")
    assert final(patient, second)[0]["id_driver"] == first["id_driver"]
    assert patient.request("POST", "/conductores", {})[0] == 202
    assert final(patient, third)[0]["estado"] == "iniciada"
    assert steps(patient, {"id_orden": third}, HAPPY_PATH[-1]) == HAPPY_PATH


def test_an_order_that_has_waited_long_enough_is_compensated(patient: Platform) -> None:
    reconfigure(patient, "conductores", "asignar-conductor", ESPERA_CONDUCTOR=2)
    try:
        id_producto = crear_producto(patient, 3)
        registrar_conductores(patient, 0)
        orden, saga = final(patient, request_orden(patient, id_producto, 2))
    finally:
        reconfigure(patient, "conductores", "asignar-conductor", ESPERA_CONDUCTOR=3600)
    assert (orden["estado"], orden["motivo"]) == ("fallida", "sin conductor libre")
    assert saga == [*HAPPY_PATH[:3], "comando-revertir-disminuir-stock", "comando-revertir-orden-creada"]
    wait_for("the stock", lambda: stock(patient, id_producto) == 3)
    assert waiting(patient) == 0
