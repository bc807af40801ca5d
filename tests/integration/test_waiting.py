"""Orders that wait for a driver: who comes first, how long, and that none is forgotten."""

from threading import Thread
from typing import Any

import pytest

from functions.conductores.asignar_conductor import AsignarConductor
from functions.conductores.completar_asignacion import CompletarAsignacion
from functions.messages.envelope import Message
from functions.messages.ids import new
from functions.messages.payloads import (
    ComandoCancelarOrden,
    ComandoCompletarAsignacion,
    ComandoCrearOrden,
    ComandoDespacharOrden,
    ComandoEntregarOrden,
    ComandoRegistrarConductor,
    ComandoRevisarEspera,
)
from functions.postgres import connection
from tests.chaos import snapshot
from tests.chaos.invariants import broken_invariants
from tests.chaos.snapshot import Promised
from tests.support.data import make_orden, make_producto, pedir_conductor
from tests.support.engines import is_waiting_for_lock
from tests.support.platform import Platform, wait_for
from tests.support.world import World

NOT_YET = ("revisar-espera", "verificar-orden")
"""The functions that would let time pass until waits are over."""


@pytest.fixture
def ordenes(world: World) -> list[ComandoCrearOrden]:
    """Two orders that wait, the first one longer, for a driver of whom there is none. The stock is 5."""
    world.clear()
    world.configure("asignar-conductor", ESPERA_CONDUCTOR=600)
    producto = make_producto(stock=5)
    world.broker.send(producto)
    world.run()
    ordenes = [make_orden(id_producto=producto.id_producto, cantidad=2) for _ in range(2)]
    for orden in ordenes:
        world.broker.send(orden)
        world.run(without=NOT_YET)
    return ordenes


def states(postgres: Platform, ordenes: list[ComandoCrearOrden]) -> list[tuple[str, str | None]]:
    """State and reason of each order; nothing is broken, once nothing waits any more."""
    state = snapshot.take(postgres, with_broker=False)
    promised = Promised([str(orden.id_orden) for orden in ordenes], [], {str(ordenes[0].id_producto): 5})
    broken = broken_invariants(state, promised)
    if state.esperas:  # these still hold stock, and have not ended
        broken = {name: lines for name, lines in broken.items() if name.startswith(("nobody_waits", "each_driver"))}
    assert broken == {}
    stored = {str(id_orden): (orden.estado, orden.motivo) for id_orden, orden in state.ordenes.items()}
    return [stored[str(orden.id_orden)] for orden in ordenes]


def test_who_waits_longest_gets_the_next_driver_and_when_that_one_is_free_the_next_is_served(
    postgres: Platform, world: World, ordenes: list[ComandoCrearOrden]
) -> None:
    assert states(postgres, ordenes) == [("creada", None), ("creada", None)]
    world.broker.send(ComandoRegistrarConductor(new(), "Ana"))
    world.run(without=NOT_YET)
    assert states(postgres, ordenes) == [("iniciada", None), ("creada", None)]
    first = ordenes[0]
    world.broker.send(ComandoDespacharOrden(first.id_orden, first.transaction_id))
    world.run(without=NOT_YET)
    world.broker.send(ComandoEntregarOrden(first.id_orden, first.transaction_id))
    world.run()
    assert states(postgres, ordenes) == [("entregada", None), ("iniciada", None)]


def test_a_cancelled_orders_driver_goes_to_the_order_that_waits(
    postgres: Platform, world: World, ordenes: list[ComandoCrearOrden]
) -> None:
    world.broker.send(ComandoRegistrarConductor(new(), None))
    world.run(without=NOT_YET)
    world.broker.send(ComandoCancelarOrden(ordenes[0].id_orden, ordenes[0].transaction_id))
    world.run()
    assert states(postgres, ordenes) == [("cancelada", None), ("iniciada", None)]


def test_an_order_that_is_cancelled_while_it_waits_gets_no_driver(
    postgres: Platform, world: World, ordenes: list[ComandoCrearOrden]
) -> None:
    world.broker.send(ComandoCancelarOrden(ordenes[0].id_orden, ordenes[0].transaction_id))
    world.run(without=NOT_YET)
    world.broker.send(ComandoRegistrarConductor(new(), None))
    world.run()
    assert states(postgres, ordenes) == [("cancelada", None), ("iniciada", None)]


def test_when_the_wait_is_over_the_order_is_compensated_and_not_before(
    postgres: Platform, world: World, ordenes: list[ComandoCrearOrden]
) -> None:
    world.broker.send(ComandoRevisarEspera(ordenes[0].id_orden, ordenes[0].time_stamp))
    world.deliver("revisar-espera", [world.pending("revisar-espera")[-1]])
    assert states(postgres, ordenes) == [("creada", None), ("creada", None)]
    world.run()
    assert states(postgres, ordenes) == [("fallida", "sin conductor libre")] * 2
    world.broker.send(ComandoRegistrarConductor(new(), None))
    world.run()
    assert states(postgres, ordenes) == [("fallida", "sin conductor libre")] * 2


def test_who_comes_later_waits_behind_those_that_wait_even_if_a_driver_was_left_free(
    postgres: Platform, world: World, ordenes: list[ComandoCrearOrden]
) -> None:
    """As a function does that was deployed before orders could wait: it frees a driver and serves nobody."""
    postgres.sql("conductores", "insert into conductores (id_conductor) values (:id)", id=new())
    late = make_orden(id_producto=ordenes[0].id_producto, cantidad=1)
    world.broker.send(late)
    world.run(without=NOT_YET)
    assert [estado for estado, _ in states(postgres, [*ordenes, late])] == ["iniciada", "creada", "creada"]


def test_a_wait_that_ends_early_by_the_brokers_clock_goes_on(
    postgres: Platform, world: World, ordenes: list[ComandoCrearOrden]
) -> None:
    world.broker.due.clear()  # what is to come later comes at once
    count = len(world.pending("revisar-espera"))
    world.deliver("revisar-espera", world.pending("revisar-espera"))
    assert states(postgres, ordenes) == [("creada", None), ("creada", None)]
    assert len(world.pending("revisar-espera")) == count
    world.run()
    assert states(postgres, ordenes) == [("fallida", "sin conductor libre")] * 2


def test_an_order_that_begins_to_wait_is_seen_by_who_frees_a_driver_at_the_same_time(databases: Platform) -> None:
    """Neither transaction sees what the other one has not committed: the second one waits for the first."""
    engines = {name: connect_as(databases, name) for name in ("asignar-conductor", "completar-asignacion")}
    first, second = (pedir_conductor(make_orden()) for _ in range(2))
    databases.sql("conductores", "insert into conductores (id_conductor) values (:id)", id=new())
    asignar = AsignarConductor()
    asignar.config = {"ESPERA_CONDUCTOR": 600}
    with engines["asignar-conductor"].begin() as tx:
        asignar.handle(tx, [message(first)])

    def complete() -> None:
        with engines["completar-asignacion"].begin() as tx:
            CompletarAsignacion().handle(
                tx, [message(ComandoCompletarAsignacion(first.id_orden, first.transaction_id))]
            )

    freeing = Thread(target=complete)
    with engines["asignar-conductor"].begin() as tx:
        asignar.handle(tx, [message(second)])
        freeing.start()
        wait_for(
            "the other transaction",
            lambda: is_waiting_for_lock(databases, "completar-asignacion") or not freeing.is_alive(),
        )
    freeing.join()
    rows = databases.sql("conductores", "select id_orden::text, estado from asignaciones")
    assert dict(rows) == {first.id_orden: "completada", second.id_orden: "asignada"}
    assert databases.sql("conductores", "select 1 from esperas") == []
    for engine in engines.values():
        engine.dispose()


def connect_as(databases: Platform, function: str) -> Any:
    """The database `conductores`, for a function."""
    config = {"DB_NAME": "conductores", "DB_HOSTNAME": "127.0.0.1", "DB_PORT": float(databases.postgres_port)}
    return connection.connect(config, databases.password("conductores"), function)


def message(payload: Any) -> Message[Any]:
    return Message(new(), 0, 0, payload)
