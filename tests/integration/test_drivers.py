"""Drivers through all functions on a real PostgreSQL: what is told of them is what is stored, whatever comes when."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from functions.conductores import states, tables
from functions.conductores.states import MAX_CONDUCTORES, Changes, Libre
from functions.messages.envelope import now
from functions.messages.ids import Id, new
from functions.messages.payloads import (
    ComandoCrearOrden,
    ComandoDespacharOrden,
    ComandoEntregarOrden,
    ComandoRegistrarConductor,
    ComandoRenombrarConductor,
    ComandoRetirarConductor,
)
from functions.postgres import connection
from tests.chaos import snapshot
from tests.chaos.invariants import broken_invariants
from tests.chaos.snapshot import Promised
from tests.support.data import liberar, make_orden, make_producto
from tests.support.platform import Platform, wait_for
from tests.support.world import World

PRODUCTO = make_producto(stock=100)
READ = "select nombre, estado, id_orden::text, version from conductores where id_conductor = :id"


@pytest.fixture
def shop(world: World) -> World:
    world.clear()
    world.broker.send(PRODUCTO)
    world.run()
    return world


def register(world: World, nombre: str | None = "Ana") -> Id:
    id_conductor = new()
    world.broker.send(ComandoRegistrarConductor(id_conductor, nombre))
    world.run()
    return id_conductor


def place(world: World) -> ComandoCrearOrden:
    orden = make_orden(id_producto=PRODUCTO.id_producto, cantidad=1)
    world.broker.send(orden)
    world.run()
    return orden


def deliver(world: World, orden: ComandoCrearOrden) -> None:
    for comando in (ComandoDespacharOrden, ComandoEntregarOrden):
        world.broker.send(comando(orden.id_orden, orden.transaction_id))
        world.run()


def read(postgres: Platform, id_conductor: Id) -> tuple[Any, ...]:
    """The driver as it is read; all that is stored agrees with all that is read."""
    state = snapshot.take(postgres, with_broker=False)
    assert broken_invariants(state, Promised([], [], {PRODUCTO.id_producto: 100})) == {}
    (row,) = postgres.sql("conductores_lectura", READ, id=id_conductor)
    return tuple(row)


def test_a_driver_is_free_has_an_order_and_is_free_again(postgres: Platform, shop: World) -> None:
    ana = register(shop)
    assert read(postgres, ana) == ("Ana", "libre", None, 1)
    orden = place(shop)
    assert read(postgres, ana) == ("Ana", "asignado", orden.id_orden, 2)
    deliver(shop, orden)
    assert read(postgres, ana) == ("Ana", "libre", None, 3)


def test_a_retired_driver_ends_the_order_and_gets_no_more(postgres: Platform, shop: World) -> None:
    ana = register(shop)
    orden = place(shop)
    shop.broker.send(ComandoRetirarConductor(ana))
    shop.run()
    assert read(postgres, ana) == ("Ana", "retirado", orden.id_orden, 3)
    shop.broker.send(ComandoRenombrarConductor(ana, "Ana María"))
    deliver(shop, orden)
    assert read(postgres, ana) == ("Ana María", "retirado", None, 5)
    place(shop)
    assert postgres.sql("conductores", "select id_conductor from asignaciones where estado = 'asignada'") == []
    assert register_again(shop, postgres, ana) == ("Ana María", "retirado", None, 5)


def register_again(world: World, postgres: Platform, id_conductor: Id) -> tuple[Any, ...]:
    """The read model is lost before: registering tells how the driver is."""
    postgres.sql("conductores_lectura", "delete from conductores where id_conductor = :id", id=id_conductor)
    world.broker.send(ComandoRegistrarConductor(id_conductor, "another"))
    world.run()
    return read(postgres, id_conductor)


def test_who_is_registered_again_is_told_of_as_it_is(postgres: Platform, shop: World) -> None:
    ana = register(shop)
    orden = place(shop)
    assert register_again(shop, postgres, ana) == ("Ana", "asignado", orden.id_orden, 2)


def test_who_retires_before_the_registration_comes_stays_retired(postgres: Platform, shop: World) -> None:
    ana = new()
    for comando in (ComandoRetirarConductor(ana), ComandoRegistrarConductor(ana, "Ana")):
        shop.broker.send(comando)
        shop.run()
    assert read(postgres, ana) == (None, "retirado", None, 1)
    place(shop)
    assert read(postgres, ana) == (None, "retirado", None, 1)


def test_an_order_that_waits_gets_no_retired_driver_but_one_who_is_freed(postgres: Platform, shop: World) -> None:
    shop.configure("asignar-conductor", ESPERA_CONDUCTOR=3600)
    ana, eva = register(shop), register(shop, "Eva")
    first, second = place(shop), place(shop)
    waiting = make_orden(id_producto=PRODUCTO.id_producto, cantidad=1)
    later = ["revisar-espera", "verificar-orden"]
    shop.broker.send(waiting, ComandoRetirarConductor(ana))
    shop.run(without=later)
    shop.broker.send(liberar(first), liberar(second))
    shop.run(without=later)
    rows = {id_: postgres.sql("conductores_lectura", READ, id=id_)[0][1:] for id_ in (ana, eva)}
    assert {id_: tuple(row) for id_, row in rows.items()} == {
        ana: ("retirado", None, 4),
        eva: ("asignado", waiting.id_orden, 4),  # freed and taken in one transaction: told of once
    }


def test_unknown_drivers_have_no_name(shop: World) -> None:
    shop.broker.send(ComandoRenombrarConductor(new(), "Eva"))
    shop.run()
    assert [topic for topic, _, _ in shop.broker.published if topic.endswith("-dlq")] == [
        "conductores/renombrar-conductor-dlq"
    ]


def test_a_batch_of_many_orders_tells_of_all_drivers_in_few_messages(postgres: Platform, shop: World) -> None:
    count = 2 * MAX_CONDUCTORES + 50
    producto = make_producto(stock=count)
    shop.broker.send(producto, *(ComandoRegistrarConductor(new(), None) for _ in range(count)))
    shop.run()
    shop.broker.send(*(make_orden(id_producto=producto.id_producto, cantidad=1) for _ in range(count)))
    shop.run(without=["asignar-conductor", "verificar-orden"])
    shop.broker.published.clear()
    shop.deliver("asignar-conductor", shop.pending("asignar-conductor"))
    assert [topic for topic, _, _ in shop.broker.published].count("conductores/evento-conductor") == 3
    shop.run()
    counted = "select count(*), min(version), count(id_orden) from conductores where estado = 'asignado'"
    (row,) = postgres.sql("conductores_lectura", counted)
    assert tuple(row) == (count, 2, count)


@pytest.mark.parametrize("is_retiring", [True, False])
def test_whoever_takes_a_driver_waits_for_a_change_of_it_and_knows_the_newest_state(
    databases: Platform, is_retiring: bool
) -> None:
    """The transaction that picks free drivers began before the change of the first of them is committed."""
    config = {"DB_NAME": "conductores", "DB_HOSTNAME": "127.0.0.1", "DB_PORT": float(databases.postgres_port)}
    engines = [connection.connect(config, databases.password("conductores"), f"prueba-{n}") for n in (1, 2)]
    ana, eva = new(), new()
    try:
        for id_conductor in (ana, eva):  # one after the other: ana is the first
            with engines[0].begin() as tx:
                tables.registrar(tx, [ComandoRegistrarConductor(id_conductor, None)], now())
        with ThreadPoolExecutor(1) as executor:
            with engines[0].begin() as tx:
                changes = Changes(now())
                before = tables.load_conductores(tx, [ana])
                if is_retiring:
                    after, _ = states.retirar(before[ana], ComandoRetirarConductor(ana), changes.moment)
                else:
                    after, _ = states.renombrar(before[ana], ComandoRenombrarConductor(ana, "Ana"))
                tables.conductores(changes).save(tx, before, {ana: after})
                tx.execute(sa.text("select 1"))  # what was written is sent now
                picked = executor.submit(pick_one, engines[1])
                waiting = (
                    "select 1 from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'prueba-2'"
                )
                wait_for("the other one to wait", lambda: databases.sql("conductores", waiting))
            expected = Libre(eva, None, 1) if is_retiring else Libre(ana, "Ana", 2)
            assert picked.result(20) == [expected]
    finally:
        for engine in engines:
            engine.dispose()


def pick_one(engine: sa.Engine) -> list[Libre]:
    with engine.begin() as tx:
        return tables.libres(tx, 1)
