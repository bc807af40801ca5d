"""What a client sees of the services: one order of each kind, and what is left of it after a restart."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeVar
from uuid import UUID

from bff.client import Client, Orden, Problem
from tests.containers.errors import ContainersError

WITHIN: Final = 60
"""Seconds that anything may take that takes one."""
STOCK: Final = 10
ADDRESS: Final = "Calle 45 # 13-40"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Story:
    """What was told: a product, and its orders with the states in which they must be found again."""

    id_producto: UUID
    stock: int
    estados: dict[UUID, str]


def refuses_strangers(url: str) -> None:
    """ContainersError unless the BFF asks for a token."""
    try:
        Client(url).request("GET", "/productos")
    except Problem as problem:
        _require("without a token", problem.status, 401)
    else:
        raise ContainersError("the BFF answers without a token")


def tell(api: Client) -> Story:
    """One order of each kind, in JSON and in XML: one that is served and then cancelled, one without stock, one without
    a driver, and one for the driver who comes free. ContainersError if one ends otherwise.
    """
    id_producto = api.crear_producto("Café de Nariño, 500 g", STOCK, wait=10)
    api.registrar_conductor("Ana", wait=10)
    served = order(api, "an order in JSON", id_producto, 2, "iniciada")
    no_stock = order(api, "an order of more than there is", id_producto, STOCK, "fallida", "stock insuficiente")
    no_driver = order(api, "an order in XML, without a free driver", id_producto, 3, "fallida", is_xml=True)
    _require("its reason", "conductor" in (no_driver.motivo or ""), True)
    api.cancelar_orden(served.id_orden, motivo="otra dirección", wait=10)
    cancelled = wait_for("the cancellation", lambda: _in_state(api, served.id_orden, "cancelada"))
    wait_for("the free driver", lambda: list(api.conductores(estado="libre")))
    print(f"    a cancellation: {cancelled.estado}, {cancelled.motivo}", flush=True)
    last = order(api, "an order in XML, for the driver who came free", id_producto, 4, "iniciada", is_xml=True)
    found = Story(id_producto, STOCK - 4, {o.id_orden: o.estado for o in (cancelled, no_stock, no_driver, last)})
    wait_for("the stock", lambda: _stock(api, id_producto) == found.stock)
    return found


def is_still_there(api: Client, story: Story) -> None:
    """ContainersError unless product and orders are as they were."""
    _require("the stock", _stock(api, story.id_producto), story.stock)
    for id_orden, estado in story.estados.items():
        found = api.orden(id_orden)
        _require(f"order {id_orden}", found and found.estado, estado)


def order(
    api: Client, what: str, id_producto: UUID, cantidad: int, estado: str, motivo: str = "", *, is_xml: bool = False
) -> Orden:
    """The order that was placed, at the end of its saga; ContainersError unless that is `estado`, for `motivo`."""
    fields: dict[str, Any] = {"id_producto": str(id_producto), "user_id": "ana", "cantidad": cantidad}
    fields["direccion_entrega"] = ADDRESS
    xml = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
    body, type_ = (f"<root>{xml}</root>", "application/xml") if is_xml else (json.dumps(fields), "application/json")
    id_orden = UUID(api.request("POST", "/orders", body.encode(), type_).json()["id_orden"])
    ended = wait_for(f"the end of the saga of {what}", lambda: _followed(api, id_orden))
    print(f"    {what}: {ended.estado}{f', {ended.motivo}' if ended.motivo else ''}", flush=True)
    _require(what, ended.estado, estado)
    if motivo:
        _require(what, ended.motivo, motivo)
    return ended


def _followed(api: Client, id_orden: UUID) -> Orden | None:
    """The order at the end of its saga; None while functions that have just been started know nothing of it."""
    try:
        return next((event for event in api.events(id_orden, WITHIN) if isinstance(event, Orden)), None)
    except Problem as problem:
        if problem.status != HTTPStatus.NOT_FOUND:
            raise
        return None


def wait_for(what: str, fetch: Callable[[], T | None]) -> T:
    """What `fetch` gives once it is true; ContainersError if that takes longer than WITHIN."""
    deadline = time.monotonic() + WITHIN
    while not (value := fetch()):
        if time.monotonic() > deadline:
            raise ContainersError(f"{what} did not come within {WITHIN} s")
        time.sleep(0.1)
    return value


def _in_state(api: Client, id_orden: UUID, estado: str) -> Orden | None:
    found = api.orden(id_orden)
    return found if found and found.estado == estado else None


def _stock(api: Client, id_producto: UUID) -> int | None:
    found = api.producto(id_producto)
    return found.stock if found else None


def _require(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise ContainersError(f"{what} is {found!r}; it should be {expected!r}")
