"""Orders on the whole platform: every path of the saga, and what is left when instances are killed.

Longer than 200 lines: its tests share the one definition of what must be true of a saga's end.
"""

import json
import random
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psutil
import pytest

from tests.support.platform import Platform, wait_for

pytestmark = pytest.mark.e2e

HAPPY_PATH = [
    "comando-crear-orden",
    "comando-disminuir-stock",
    "comando-asignar-conductor",
    "comando-marcar-listo-despacho",
]
NO_CONDUCTOR = [*HAPPY_PATH[:3], "comando-revertir-disminuir-stock", "comando-revertir-orden-creada"]
NO_STOCK = [*HAPPY_PATH[:2], "comando-revertir-orden-creada"]
ORDEN_FUNCTIONS = (
    "crear-orden",
    "disminuir-stock",
    "asignar-conductor",
    "marcar-listo-despacho",
    "revertir-disminuir-stock",
    "revertir-orden-creada",
    "proyectar-orden",
    "proyectar-producto",
    "registrar-saga",
)


def crear_producto(platform: Platform, stock: int) -> str:
    status, body, _ = platform.request("POST", "/productos", {"nombre": "Té", "stock": stock})
    assert status == 202
    wait_for("the product", lambda: platform.request("GET", f"/productos/{body['id']}")[0] == 200)
    return str(body["id"])


def registrar_conductores(platform: Platform, count: int) -> None:
    """Takes every free driver away, and registers as many."""
    platform.sql("conductores", "update conductores set libre = false")
    for _ in range(count):
        assert platform.request("POST", "/conductores", {})[0] == 202
    free = "select count(*) from conductores where libre"
    wait_for("the drivers", lambda: platform.sql("conductores", free) == [(count,)])


def request_orden(platform: Platform, id_producto: str, cantidad: int = 1) -> str:
    fields = {"id_producto": id_producto, "user_id": "ana", "cantidad": cantidad, "direccion_entrega": "Calle 45"}
    status, body, _ = platform.request("POST", "/orders", fields)
    assert status == 202, body
    return str(body["id_orden"])


def final(platform: Platform, id_orden: str) -> Any:
    """The order's last state and its saga's steps, once both are complete."""
    steps = {"iniciada": "comando-marcar-listo-despacho", "fallida": "comando-revertir-orden-creada"}

    def ended() -> Any:
        status, orden, _ = platform.request("GET", f"/orders/{id_orden}")
        if status == 404 or orden["estado"] == "creada":
            return None
        status, logged_steps, _ = platform.request("GET", f"/orders/{id_orden}/saga")
        if status == 404:  # the log may be 20 ms behind, an order may end in less
            return None
        saga = [step["evento"] for step in logged_steps]
        return (orden, saga) if saga[-1] == steps[orden["estado"]] else None

    return wait_for(f"the end of order {id_orden}", ended)


def stock(platform: Platform, id_producto: str) -> int:
    return int(platform.sql("productos", "select stock from productos where id = :id", id=id_producto)[0][0])


@pytest.mark.parametrize("media_type", ["application/json", "application/xml", "text/xml; charset=utf-8"])
def test_an_order_in_any_format_is_carried_to_iniciada(platform: Platform, media_type: str) -> None:
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 1)
    fields = {"id_producto": id_producto, "user_id": "ana", "cantidad": 2, "direccion_entrega": "Calle 45 # 13"}
    fields |= {"instrucciones_entrega": "Tocar el timbre"}
    xml = "<pedido>" + "".join(f"<{c}>{v}</{c}>" for c, v in fields.items()) + "</pedido>"
    status, body, headers = platform.request(
        "POST", "/orders", json.dumps(fields) if "json" in media_type else xml, media_type
    )
    assert (status, body["mssg"]) == (202, "Procesando mensaje")
    assert headers["Location"] == f"/orders/{body['id_orden']}"
    orden, saga = final(platform, body["id_orden"])
    assert (orden["estado"], orden["cantidad"], orden["direccion_entrega"]) == ("iniciada", 2, "Calle 45 # 13")
    assert UUID(orden["id_driver"])
    assert orden["instrucciones_entrega"] == "Tocar el timbre"
    assert saga == HAPPY_PATH
    assert stock(platform, id_producto) == 3


def test_who_prefers_to_wait_is_told_how_the_order_ended(platform: Platform) -> None:
    id_producto = crear_producto(platform, 1)
    registrar_conductores(platform, 1)
    fields = {"id_producto": id_producto, "user_id": "ana", "cantidad": 1, "direccion_entrega": "Calle 45"}
    for expected in ("iniciada", "fallida"):
        status, orden, headers = platform.request("POST", "/orders", fields, Prefer="wait=10")
        assert (status, orden["estado"], headers["Preference-Applied"]) == (200, expected, "wait=10")
        assert platform.request("GET", headers["Location"])[1] == orden


def test_without_stock_the_order_is_fallida(platform: Platform) -> None:
    id_producto = crear_producto(platform, 5)
    orden, saga = final(platform, request_orden(platform, id_producto, 6))
    assert (orden["estado"], orden["motivo"], orden["id_driver"]) == ("fallida", "stock insuficiente", None)
    assert saga == NO_STOCK
    assert stock(platform, id_producto) == 5


def test_an_unknown_and_a_deleted_product_make_the_order_fallida(platform: Platform) -> None:
    orden, saga = final(platform, request_orden(platform, str(uuid4())))
    assert (orden["estado"], orden["motivo"], saga) == ("fallida", "producto desconocido", NO_STOCK)
    id_producto = crear_producto(platform, 5)
    assert platform.request("DELETE", f"/productos/{id_producto}")[0] == 202
    wait_for("the deletion", lambda: platform.request("GET", f"/productos/{id_producto}")[0] == 404)
    orden, saga = final(platform, request_orden(platform, id_producto))
    assert (orden["estado"], orden["motivo"], saga) == ("fallida", "producto eliminado", NO_STOCK)


def test_without_a_driver_the_stock_is_given_back(platform: Platform) -> None:
    id_producto = crear_producto(platform, 5)
    registrar_conductores(platform, 0)
    orden, saga = final(platform, request_orden(platform, id_producto, 4))
    assert (orden["estado"], orden["motivo"], orden["id_driver"]) == ("fallida", "sin conductor libre", None)
    assert saga == NO_CONDUCTOR
    assert stock(platform, id_producto) == 5


def test_killed_instances_lose_nothing_and_double_nothing(platform: Platform) -> None:
    id_producto = crear_producto(platform, 600)
    registrar_conductores(platform, 500)
    remaining = iter(random.Random(7).sample(ORDEN_FUNCTIONS, len(ORDEN_FUNCTIONS)))
    interval, count, lock = 1000 // len(ORDEN_FUNCTIONS), [0], threading.Lock()

    def place_one(_: int) -> str:
        id_orden = request_orden(platform, id_producto)
        with lock:
            count[0] += 1
            if count[0] % interval == 0 and (function := next(remaining, None)):
                kill_instance(platform, function)
        return id_orden

    with ThreadPoolExecutor(16) as clients:
        ordenes = list(clients.map(place_one, range(1000)))
    assert next(remaining, None) is None, "not every function was killed"
    check(platform, ordenes, id_producto)


def kill_instance(platform: Platform, function: str) -> None:
    """kill -9 of the function's instance; its replacement may just be starting."""
    process: psutil.Process = wait_for(f"an instance of {function}", lambda: platform.instances(function))[0]
    process.send_signal(signal.SIGKILL)


def check(platform: Platform, ordenes: list[str], id_producto: str) -> None:
    """500 of the 1,000 orders have a driver, 500 are compensated, and every figure agrees."""
    among_ids = "id_orden = any(cast(:ids as uuid[]))"
    final_states = f"select count(*) from ordenes where {among_ids} and estado <> 'creada'"
    wait_for(
        "the end of all orders", lambda: platform.sql("ordenes_lectura", final_states, ids=ordenes) == [(1000,)], 120
    )

    estados = f"select estado, count(*) from ordenes where {among_ids} group by 1 order by 1"
    assert platform.sql("ordenes", estados, ids=ordenes) == [("fallida", 500), ("iniciada", 500)]
    assert stock(platform, id_producto) == 100
    reserved = f"select sum(cantidad) from reservas where {among_ids} and estado = 'reservada'"
    assert platform.sql("productos", reserved, ids=ordenes) == [(500,)]

    asignadas = f"select id_orden, id_conductor from asignaciones where {among_ids} and estado = 'asignada'"
    conductores = dict(platform.sql("conductores", asignadas, ids=ordenes))
    assert len(conductores) == len(set(conductores.values())) == 500
    with_conductor = f"select id_orden, id_driver from ordenes where {among_ids} and id_driver is not null"
    assert dict(platform.sql("ordenes", with_conductor, ids=ordenes)) == conductores

    sagas = f"select evento, count(*), count(distinct id_orden) from sagalog where {among_ids} group by 1"
    without_conductor, without_stock = (
        count_failed_with(platform, ordenes, "sin conductor libre"),
        count_failed_with(platform, ordenes, "stock insuficiente"),
    )
    assert without_conductor + without_stock == 500
    expected = {
        "comando-crear-orden": 1000,
        "comando-disminuir-stock": 1000,
        "comando-asignar-conductor": 500 + without_conductor,
        "comando-marcar-listo-despacho": 500,
        "comando-revertir-disminuir-stock": without_conductor,
        "comando-revertir-orden-creada": 500,
    }
    complete = {evento: (number, number) for evento, number in expected.items() if number}

    def logged() -> dict[str, tuple[int, int]]:
        return {evento: (steps, distinct) for evento, steps, distinct in platform.sql("saga", sagas, ids=ordenes)}

    wait_for("complete saga logs", lambda: logged() == complete)
    ordenes_query = "select id_orden, estado, id_driver, motivo, version from ordenes order by 1"
    productos_query = "select id, nombre, stock, eliminado, version, fecha_actualizacion from productos order by 1"
    wait_for("the read model of orders", lambda: are_equal(platform, "ordenes", ordenes_query))
    wait_for("the read model of products", lambda: are_equal(platform, "productos", productos_query))


def count_failed_with(platform: Platform, ordenes: list[str], motivo: str) -> int:
    query = "select count(*) from ordenes where id_orden = any(cast(:ids as uuid[])) and motivo = :motivo"
    return int(platform.sql("ordenes", query, ids=ordenes, motivo=motivo)[0][0])


def are_equal(platform: Platform, database: str, query: str) -> bool:
    return platform.sql(database, query) == platform.sql(f"{database}_lectura", query)
