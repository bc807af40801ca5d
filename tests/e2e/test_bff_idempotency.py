"""Many clients with the same Idempotency-Key, and a BFF that dies in between: one order, one product."""

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import Any
from uuid import uuid4

import psutil
import pytest

from deployment.local import services
from tests.e2e.test_saga import crear_producto, final, registrar_conductores, stock
from tests.support.platform import Platform, wait_for

pytestmark = pytest.mark.e2e

CLIENTS = 50


def post_concurrently(platform: Platform, path: str, body: object, key: str) -> list[Any]:
    """What CLIENTES clients are answered; nothing from a BFF that is gone."""

    def request(_number: int) -> Any:
        try:
            status, response, _ = platform.request("POST", path, body, Idempotency_Key=key)
        except (OSError, HTTPException):
            return None
        assert status in (202, 503), response
        return response if status == 202 else None

    with ThreadPoolExecutor(CLIENTS) as executor:
        return [response for response in executor.map(request, range(CLIENTS)) if response is not None]


def kill_bff(platform: Platform) -> None:
    pid = services.pid(platform.data, "bff")
    assert pid is not None
    psutil.Process(pid).kill()
    platform.local("up")
    wait_for("the BFF", lambda: platform.request("GET", "/health")[0] == 200)


def test_fifty_clients_with_one_key_make_one_order_even_when_the_bff_dies(platform: Platform) -> None:
    id_producto = crear_producto(platform, 100)
    registrar_conductores(platform, 5)
    key = str(uuid4())
    orden = {"id_producto": id_producto, "user_id": key, "cantidad": 2, "direccion_entrega": "Calle 45"}
    responses = post_concurrently(platform, "/orders", orden, key)
    assert len(responses) == CLIENTS
    kill_bff(platform)
    responses += post_concurrently(platform, "/orders", orden, key)
    (id_orden,) = {response["id_orden"] for response in responses}
    assert all(response == responses[0] for response in responses)
    placed, _ = final(platform, id_orden)
    assert placed["estado"] == "iniciada"
    assert stock(platform, id_producto) == 98
    assert platform.sql("ordenes", "select count(*) from ordenes where user_id = :u", u=key) == [(1,)]
    status, problem, _ = platform.request("POST", "/orders", orden | {"cantidad": 3}, Idempotency_Key=key)
    assert (status, "cantidad" in problem["detail"]) == (422, True)


def test_different_orders_under_one_key_at_once_make_one_of_them_and_nothing_mixed(platform: Platform) -> None:
    id_producto = crear_producto(platform, 100)
    registrar_conductores(platform, 5)
    key = str(uuid4())

    def request(cantidad: int) -> Any:
        orden = {"id_producto": id_producto, "user_id": f"{key}/{cantidad}", "cantidad": cantidad}
        fields = orden | {"direccion_entrega": f"Calle {cantidad}"}
        return platform.request("POST", "/orders", fields, Idempotency_Key=key)

    with ThreadPoolExecutor(8) as executor:
        responses = list(executor.map(request, range(1, 9)))
    (id_orden,) = {body["id_orden"] for status, body, _ in responses if status == 202}
    assert {status for status, _, _ in responses} <= {202, 422}

    def ended() -> Any:
        status, orden, _ = platform.request("GET", f"/orders/{id_orden}")
        return orden if status == 200 and orden["estado"] != "creada" else None

    # not final(): a request that was slow may be logged as a step after the saga's last one
    placed = wait_for("the end of the order", ended)
    cantidad = placed["cantidad"]
    assert (placed["user_id"], placed["direccion_entrega"]) == (f"{key}/{cantidad}", f"Calle {cantidad}")
    assert stock(platform, id_producto) == 100 - cantidad
