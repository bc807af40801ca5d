"""Stock that comes back, on the whole platform: adjustments, movements that account for the stock, other names."""

import random
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.test_order_life import done, iniciada, libres
from tests.e2e.test_saga import crear_producto, final, registrar_conductores, request_orden, stock
from tests.support.platform import Platform, wait_for

pytestmark = pytest.mark.e2e


def adjust(platform: Platform, id_producto: str, cantidad: int, **headers: str) -> tuple[int, Any]:
    body = {"cantidad": cantidad, "motivo": "Inventario"}
    status, answer, _ = platform.request("POST", f"/productos/{id_producto}/stock", body, **headers)
    return status, answer


def adjusted(platform: Platform, id_producto: str, cantidad: int) -> Any:
    """The movement, once it can be read."""
    status, answer = adjust(platform, id_producto, cantidad, Prefer="wait=10")
    assert status == 200, answer
    return answer["resultado"]


def movimientos(platform: Platform, id_producto: str, limit: int = 1000) -> list[Any]:
    """All movements of a product, oldest first, read page by page."""
    path: str | None = f"/productos/{id_producto}/movimientos?limit={limit}"
    rows: list[Any] = []
    while path is not None:
        status, page, headers = platform.request("GET", path)
        assert status == 200, page
        rows += page["resultado"]
        following = re.search(r'<([^>]*)>; rel="next"', headers["Link"])
        path = following[1] if following else None
    return rows[::-1]


def require_complete(platform: Platform, id_producto: str) -> list[Any]:
    """The movements, once they lead to the product's stock, version by version."""

    def complete() -> Any:
        rows, left = movimientos(platform, id_producto, 7), stock(platform, id_producto)
        return rows if rows[-1]["stock"] == left else None

    rows: list[Any] = wait_for("the movements", complete)
    left = 0
    for row in rows:
        left += 0 if row["rechazado"] else row["cantidad"]
        assert row["stock"] == left >= 0, row
    assert [row["version"] for row in rows] == list(range(1, len(rows) + 1))
    return rows


def test_a_product_that_was_refused_sells_again_once_there_is_more_of_it(platform: Platform) -> None:
    id_producto = crear_producto(platform, 1)
    registrar_conductores(platform, 1)
    refused, _ = final(platform, request_orden(platform, id_producto, 3))
    assert (refused["estado"], refused["motivo"]) == ("fallida", "stock insuficiente")
    movimiento = adjusted(platform, id_producto, 5)
    assert (movimiento["causa"], movimiento["stock"], movimiento["motivo"]) == ("ajuste", 6, "Inventario")
    iniciada(platform, id_producto, 3)
    assert stock(platform, id_producto) == 3


def test_the_movements_account_for_the_stock(platform: Platform) -> None:
    id_producto = crear_producto(platform, 4)
    registrar_conductores(platform, 2)
    kept = iniciada(platform, id_producto, 3)
    undone = iniciada(platform, id_producto)
    assert adjust(platform, id_producto, -1, Prefer="wait=10")[0] == 409
    done(platform, undone, "cancelacion", {"motivo": "Ya no"})
    wait_for("the stock", lambda: stock(platform, id_producto) == 1)
    adjusted(platform, id_producto, -1)
    rows = require_complete(platform, id_producto)
    assert [(row["causa"], row["cantidad"], row["id_orden"], row["motivo"]) for row in rows] == [
        ("creacion", 4, None, None),
        ("reserva", -3, kept["id_orden"], None),
        ("reserva", -1, undone["id_orden"], None),
        ("ajuste", -1, None, "Inventario"),
        ("reversion", 1, undone["id_orden"], "cancelada"),
        ("ajuste", -1, None, "Inventario"),
    ]
    assert [row["rechazado"] for row in rows] == [False, False, False, True, False, False]


def test_what_is_refused_is_said_to_whoever_waits_and_can_be_read(platform: Platform) -> None:
    id_producto = crear_producto(platform, 2)
    for cantidad in (-3, 2**31 - 1):
        status, refusal = adjust(platform, id_producto, cantidad, Prefer="wait=10")
        assert (status, refusal["stock"]) == (409, 2)
    status, accepted = adjust(platform, id_producto, -3)
    assert status == 202
    wait_for("the refusal", lambda: len(movimientos(platform, id_producto)) == 4)
    last = movimientos(platform, id_producto)[-1]
    assert (last["id_ajuste"], last["rechazado"], last["stock"]) == (accepted["id_ajuste"], True, 2)
    assert stock(platform, id_producto) == 2
    assert adjust(platform, str(uuid4()), 1)[0] == 404


def test_a_request_that_comes_again_is_done_once(platform: Platform) -> None:
    id_producto, key = crear_producto(platform, 0), str(uuid4())
    with ThreadPoolExecutor(8) as executor:
        answers = list(
            executor.map(lambda _: adjust(platform, id_producto, 2, Prefer="wait=10", Idempotency_Key=key), range(16))
        )
    assert {status for status, _ in answers} == {200}
    assert len({answer["id_ajuste"] for _, answer in answers}) == 1
    assert adjust(platform, id_producto, 3, Idempotency_Key=key)[0] == 422
    assert (stock(platform, id_producto), len(require_complete(platform, id_producto))) == (2, 2)


def test_orders_and_adjustments_of_the_last_units_race_and_nothing_is_sold_twice(platform: Platform) -> None:
    id_producto = crear_producto(platform, 10)
    registrar_conductores(platform, 60)
    rng = random.Random(7)
    quantities = [rng.choice((-2, -1, 1, 2)) for _ in range(60)]
    with ThreadPoolExecutor(6) as executor:
        ordenes = executor.map(lambda _: request_orden(platform, id_producto), range(60))
        statuses = list(executor.map(lambda n: adjust(platform, id_producto, n, Prefer="wait=10")[0], quantities))
        ends = list(executor.map(lambda id_orden: final(platform, id_orden)[0], ordenes))
    assert set(statuses) <= {200, 409}
    done_ones = sum(n for n, status in zip(quantities, statuses, strict=True) if status == 200)
    sold = sum(orden["estado"] == "iniciada" for orden in ends)
    assert stock(platform, id_producto) == 10 + done_ones - sold
    assert libres(platform) == 60 - sold
    rows = require_complete(platform, id_producto)
    assert sum(row["rechazado"] for row in rows) == statuses.count(409)


def test_a_product_gets_another_name_and_a_deleted_one_keeps_its_movements(platform: Platform) -> None:
    id_producto = crear_producto(platform, 3)
    path = f"/productos/{id_producto}"
    for name in ("Café", "Café"):
        status, answer, _ = platform.request("PATCH", path, {"nombre": name}, Prefer="wait=10")
        assert (status, answer["resultado"]["nombre"], answer["resultado"]["stock"]) == (200, "Café", 3)
    versions = "select version from productos where id = :id"
    assert platform.sql("productos", versions, id=id_producto) == [(2,)]
    assert platform.request("DELETE", path)[0] == 202
    wait_for("the deletion", lambda: platform.request("GET", path)[0] == 404)
    assert adjust(platform, id_producto, 1)[0] == 404
    assert platform.request("PATCH", path, {"nombre": "Té"})[0] == 404
    assert [row["causa"] for row in movimientos(platform, id_producto)] == ["creacion"]
