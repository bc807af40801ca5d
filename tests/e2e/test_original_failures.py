"""What the system that this one re-implements does wrong, each at the size at which it was seen there.

Bad requests (`cantidad` −5, odd ids, other content types, …) are in tests/unit/test_bff_*.py, unknown products in
test_saga.py; shared message ids, and a saga log of one step, in tests/integration.
"""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.test_saga import crear_producto, final, kill_instance, registrar_conductores, request_orden, stock
from tests.support.platform import Platform, wait_for

pytestmark = pytest.mark.e2e


def request_many(platform: Platform, id_producto: str, count: int) -> list[str]:
    """So many orders of one unit, at once."""
    with ThreadPoolExecutor(16) as clients:
        return list(clients.map(lambda _: request_orden(platform, id_producto), range(count)))


def final_states(platform: Platform, ordenes: list[str]) -> dict[str, int]:
    """How many of these orders end in each state, once all have ended."""
    query = """
        select estado, count(*) from ordenes where id_orden = any(cast(:ids as uuid[])) and estado <> 'creada'
        group by 1"""

    def ended() -> dict[str, int] | None:
        estados: dict[str, int] = dict(platform.sql("ordenes_lectura", query, ids=ordenes))
        return estados if sum(estados.values()) == len(ordenes) else None

    return wait_for("the end of all orders", ended) or {}


def test_fifty_orders_at_once_do_not_oversell_a_stock_of_twenty(platform: Platform) -> None:
    """There: stock −1, 29 orders stuck."""
    id_producto = crear_producto(platform, 20)
    registrar_conductores(platform, 50)
    assert final_states(platform, request_many(platform, id_producto, 50)) == {"iniciada": 20, "fallida": 30}
    assert stock(platform, id_producto) == 0


def test_an_order_bigger_than_the_stock_harms_nobody_else(platform: Platform) -> None:
    """There: stock −6, later orders stuck, the list of products 400."""
    id_producto = crear_producto(platform, 4)
    registrar_conductores(platform, 1)
    assert final(platform, request_orden(platform, id_producto, 10))[0]["estado"] == "fallida"
    assert final(platform, request_orden(platform, id_producto, 4))[0]["estado"] == "iniciada"
    assert stock(platform, id_producto) == 0
    assert platform.request("GET", "/productos")[0] == 200


def test_compensations_at_the_same_time_give_back_exactly_what_was_taken(platform: Platform) -> None:
    """There: stock off by up to 9."""
    id_producto = crear_producto(platform, 100)
    registrar_conductores(platform, 10)
    assert final_states(platform, request_many(platform, id_producto, 20)) == {"iniciada": 10, "fallida": 10}
    assert stock(platform, id_producto) == 90


def test_an_emoji_and_a_long_address_are_orders_like_any_other(platform: Platform) -> None:
    """There: the consumer's thread dies, and nothing is processed any more."""
    id_producto = crear_producto(platform, 2)
    registrar_conductores(platform, 2)
    for address in ("Calle 45 🚚 ñandú", "Carrera 7 # " + "1" * 288):
        fields = {"id_producto": id_producto, "user_id": "ana", "cantidad": 1, "direccion_entrega": address}
        status, body, _ = platform.request("POST", "/orders", fields)
        assert status == 202
        orden = final(platform, body["id_orden"])[0]
        assert (orden["estado"], orden["direccion_entrega"]) == ("iniciada", address)


@pytest.mark.parametrize("function", ["crear-orden", "disminuir-stock", "asignar-conductor"])
def test_a_consumer_that_is_killed_among_200_orders_doubles_and_loses_nothing(
    platform: Platform, function: str
) -> None:
    """There: orders stuck, orders made twice, orders with two drivers, too much stock taken."""
    id_producto = crear_producto(platform, 200)
    registrar_conductores(platform, 200)
    ordenes = request_many(platform, id_producto, 100)
    kill_instance(platform, function)
    ordenes += request_many(platform, id_producto, 100)
    assert final_states(platform, ordenes) == {"iniciada": 200}
    assert stock(platform, id_producto) == 0
    assert platform.sql("conductores", "select count(*) from conductores where libre") == [(0,)]


def test_a_database_that_restarts_among_200_orders_stops_nothing(platform: Platform) -> None:
    """There: intake stopped, and after restarts by hand 18 orders stuck and one lost."""
    id_producto = crear_producto(platform, 200)
    registrar_conductores(platform, 200)
    with ThreadPoolExecutor(1) as other:
        requested = other.submit(request_many, platform, id_producto, 200)
        platform.local("restart", "postgres")
        ordenes = requested.result()
    assert final_states(platform, ordenes) == {"iniciada": 200}
    assert stock(platform, id_producto) == 0
