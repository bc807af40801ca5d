"""Drivers that one can see, on the whole platform: registered, free, with an order, renamed, retired."""

from typing import Any

import pytest

from tests.e2e.test_order_life import done, iniciada
from tests.e2e.test_saga import crear_producto, final, registrar_conductores, request_orden
from tests.support.platform import Platform, wait_for

pytestmark = pytest.mark.e2e

WAIT = {"Prefer": "wait=10"}


def registered(platform: Platform, nombre: str) -> Any:
    """The only free driver, as the answer to the registration shows it."""
    registrar_conductores(platform, 0)
    status, conductor, headers = platform.request("POST", "/conductores", {"nombre": nombre}, **WAIT)
    assert status == 200, conductor
    assert headers["Location"] == f"/conductores/{conductor['id_conductor']}"
    return conductor


def read(platform: Platform, conductor: Any) -> Any:
    status, found, _ = platform.request("GET", f"/conductores/{conductor['id_conductor']}")
    assert status == 200, found
    return found


def wait_until(platform: Platform, conductor: Any, estado: str, id_orden: str | None) -> Any:
    """The driver, once it is in this state with this order."""

    def is_so() -> Any:
        found = read(platform, conductor)
        return found if (found["estado"], found["id_orden"]) == (estado, id_orden) else None

    return wait_for(f"the driver to be {estado}", is_so)


def listed(platform: Platform, estado: str) -> list[str]:
    """The ids of all drivers in this state, page by page."""
    ids: list[str] = []
    path: str | None = f"/conductores?estado={estado}&limit=100"
    while path is not None:
        status, page, headers = platform.request("GET", path)
        assert status == 200, page
        ids += [row["id_conductor"] for row in page]
        links = [link for link in headers["Link"].split(", ") if 'rel="next"' in link]
        path = links[0][1 : links[0].index(">")] if links else None
    return ids


def test_a_driver_is_free_has_an_order_and_is_free_again(platform: Platform) -> None:
    id_producto = crear_producto(platform, 5)
    ana = registered(platform, "Ana")
    assert (ana["nombre"], ana["estado"], ana["id_orden"]) == ("Ana", "libre", None)
    assert read(platform, ana) == ana
    assert ana["id_conductor"] in listed(platform, "libre")
    orden = iniciada(platform, id_producto)
    assert orden["id_driver"] == ana["id_conductor"]
    busy = wait_until(platform, ana, "asignado", orden["id_orden"])
    assert busy["desde"] > ana["desde"]
    assert ana["id_conductor"] in listed(platform, "asignado")
    done(platform, orden, "despacho")
    done(platform, orden, "entrega")
    assert wait_until(platform, ana, "libre", None)["desde"] > busy["desde"]


def test_a_retired_driver_ends_the_order_and_gets_no_more(platform: Platform) -> None:
    id_producto = crear_producto(platform, 5)
    ana = registered(platform, "Ana")
    orden = iniciada(platform, id_producto)
    wait_until(platform, ana, "asignado", orden["id_orden"])
    assert platform.request("DELETE", f"/conductores/{ana['id_conductor']}")[0] == 202
    wait_until(platform, ana, "retirado", orden["id_orden"])
    done(platform, orden, "despacho")
    done(platform, orden, "entrega")
    wait_until(platform, ana, "retirado", None)
    ended, _ = final(platform, request_orden(platform, id_producto))
    assert (ended["estado"], ended["motivo"]) == ("fallida", "sin conductor libre")
    assert read(platform, ana)["estado"] == "retirado"
    assert ana["id_conductor"] in listed(platform, "retirado")


def test_a_driver_gets_another_name_free_or_not(platform: Platform) -> None:
    id_producto = crear_producto(platform, 5)
    ana = registered(platform, "Ana")
    path = f"/conductores/{ana['id_conductor']}"
    status, renamed, _ = platform.request("PATCH", path, {"nombre": "Ana María"}, **WAIT)
    assert (status, renamed) == (200, {**ana, "nombre": "Ana María"})
    orden = iniciada(platform, id_producto)
    busy = wait_until(platform, ana, "asignado", orden["id_orden"])
    status, renamed, _ = platform.request("PATCH", path, {"nombre": "Eva"}, **WAIT)
    assert (status, renamed) == (200, {**busy, "nombre": "Eva"})


def test_drivers_whom_nobody_knows_are_not_there(platform: Platform) -> None:
    path = "/conductores/6f1c1d4e-8a3b-4c5d-9e7f-0a1b2c3d4e5f"
    answers = [
        platform.request("GET", path),
        platform.request("PATCH", path, {"nombre": "Eva"}),
        platform.request("DELETE", path),
    ]
    assert [status for status, _, _ in answers] == [404, 404, 404]
