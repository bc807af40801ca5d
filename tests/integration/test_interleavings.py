"""Whole sagas in any order that a broker, its clients and dying instances can bring about."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.messages.ids import Id, new
from functions.messages.payloads import (
    ComandoCrearOrden,
    ComandoEliminarProducto,
    ComandoRegistrarConductor,
    ComandoRenombrarConductor,
    ComandoRenombrarProducto,
    ComandoRetirarConductor,
)
from tests.chaos import snapshot
from tests.chaos.invariants import broken_invariants
from tests.chaos.snapshot import Promised
from tests.support.data import REQUESTS, ajustar, make_orden, make_producto
from tests.support.platform import Platform
from tests.support.world import FUNCTIONS, World

SKIPPABLE = ("disminuir-stock", "asignar-conductor", "marcar-listo-despacho")
"""What an operator may skip by mistake: the order's deadlines bring it again."""


@settings(
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_order_of_events_ends_every_saga_and_keeps_every_invariant(
    postgres: Platform, world: World, seed: int
) -> None:
    """One number makes the whole story: what is possible next depends on what the functions did before."""
    world.clear()
    rng = random.Random(seed)
    world.configure("asignar-conductor", ESPERA_CONDUCTOR=rng.choice([0, 600]))
    ordenes, stock = request(world, rng)
    for _ in range(rng.randint(5, 90)):
        if rng.random() < 0.2:
            change_an_orden(postgres, world, rng)
        if rng.random() < 0.1:
            change_a_producto(world, rng, list(stock))
        if rng.random() < 0.1:
            change_a_driver(postgres, world, rng)
        if not (active := [name for name in FUNCTIONS if world.broker.queues[name]]):
            break
        take_step(world, rng, rng.choice(active))
    world.broker.acks_lost = False
    world.run()
    promised = Promised([str(orden.id_orden) for orden in ordenes], [], stock, renamed=list(stock))
    assert broken_invariants(snapshot.take(postgres, with_broker=False), promised) == {}
    assert not [topic for topic, _, _ in world.broker.published if topic.endswith("-dlq")]


def request(world: World, rng: random.Random) -> tuple[list[ComandoCrearOrden], dict[str, int]]:
    """Products, some of them deleted at some time, drivers, and orders, in any order."""
    productos = [make_producto(stock=rng.randint(0, 6)) for _ in range(2)]
    world.broker.send(*productos)
    world.run()
    ids = [producto.id_producto for producto in productos] + [new()]
    conductores = [ComandoRegistrarConductor(new(), None) for _ in range(rng.randint(0, 4))]
    ordenes = [make_orden(id_producto=rng.choice(ids), cantidad=rng.randint(1, 3)) for _ in range(rng.randint(1, 6))]
    retired = [ComandoRetirarConductor(one.id_conductor) for one in conductores[: rng.randint(0, 1)]]
    messages = [*conductores, *retired, *ordenes, *[ComandoEliminarProducto(ids[0])] * rng.randint(0, 1)]
    world.broker.send(*rng.sample(messages, len(messages)))
    return ordenes, {str(producto.id_producto): producto.stock for producto in productos}


def change_an_orden(postgres: Platform, world: World, rng: random.Random) -> None:
    """Somebody cancels, dispatches, delivers or brings back one of the orders that are there, possible or not."""
    ordenes = postgres.sql("ordenes", "select id_orden::text, transaction_id::text from ordenes order by 1")
    if not ordenes:
        return
    id_orden, transaction_id = map(Id, rng.choice(ordenes))
    world.broker.send(rng.choice(list(REQUESTS.values()))(id_orden, transaction_id))


def change_a_producto(world: World, rng: random.Random, ids: list[str]) -> None:
    """Somebody adjusts a product's stock, possible or not, some the same twice, or gives it another name."""
    id_producto = Id(rng.choice(ids))
    if rng.random() < 0.2:
        world.broker.send(ComandoRenombrarProducto(id_producto, rng.choice(("Té", "Café"))))
        return
    world.broker.send(*[ajustar(id_producto, rng.choice((-3, -1, 1, 2)))] * rng.choice((1, 1, 2)))


def change_a_driver(postgres: Platform, world: World, rng: random.Random) -> None:
    """Somebody renames, retires or registers again one of the drivers that are there."""
    conductores = postgres.sql("conductores", "select id_conductor::text from conductores order by 1")
    if not conductores:
        return
    id_conductor = Id(rng.choice(conductores)[0])
    renaming, registration = (
        kind(id_conductor, rng.choice(["Ana", "Eva"]))
        for kind in (ComandoRenombrarConductor, ComandoRegistrarConductor)
    )
    world.broker.send(rng.choice([renaming, registration, ComandoRetirarConductor(id_conductor)]))


def take_step(world: World, rng: random.Random, name: str) -> None:
    """Some of what waits for a function, in any order, some of it twice; or the loss of one message."""
    pending = world.pending(name)
    batch = rng.sample(pending, min(len(pending), rng.randint(1, 8)))
    if name in SKIPPABLE and rng.random() < 0.1 and not world.is_half_done(name, batch[0]):
        world.broker.acks_lost = False
        world.broker.acknowledge(name, batch[0].raw.message_id())
        return
    batch += batch[: rng.randint(0, 2)]
    world.broker.acks_lost = rng.random() < 0.2
    world.deliver(name, batch, dies_at=rng.choice([0, rng.randint(1, 300)]))
