"""An order is cancelled between any two steps of its saga, and whatever comes late changes nothing."""

import pytest

from functions.messages.ids import Id, new
from functions.messages.payloads import (
    ComandoCancelarOrden,
    ComandoCrearOrden,
    ComandoDespacharOrden,
    ComandoRegistrarConductor,
)
from tests.chaos import snapshot
from tests.chaos.invariants import broken_invariants
from tests.chaos.snapshot import Promised
from tests.support.data import make_orden, make_producto
from tests.support.platform import Platform
from tests.support.world import World

STEPS = ("crear-orden", "disminuir-stock", "asignar-conductor", "marcar-listo-despacho")
"""The functions that an order goes through until it has its driver."""


def shop(world: World) -> tuple[ComandoCrearOrden, dict[str, int]]:
    """An order that can be fulfilled, sent; and the stock at the beginning."""
    world.clear()
    producto = make_producto(stock=5)
    world.broker.send(producto, ComandoRegistrarConductor(new(), None))
    world.run()
    orden = make_orden(id_producto=producto.id_producto, cantidad=2)
    world.broker.send(orden)
    return orden, {str(producto.id_producto): 5}


def go_on(world: World, *names: str) -> None:
    """What waits for these functions, one after the other."""
    for name in names:
        world.deliver(name, world.pending(name))


def require(postgres: Platform, orden: ComandoCrearOrden, stock: dict[str, int], estado: str) -> None:
    """The order is in this state, and stock, drivers, log and read model are as they must be then."""
    state = snapshot.take(postgres, with_broker=False)
    (stored,) = state.ordenes.values()
    assert stored.estado == estado
    assert broken_invariants(state, Promised([str(orden.id_orden)], [], stock)) == {}


@pytest.mark.parametrize("done", range(1, len(STEPS) + 1))
@pytest.mark.parametrize("undone_first", [False, True])
def test_it_wins_against_every_step_that_comes_later(
    postgres: Platform, world: World, done: int, undone_first: bool
) -> None:
    """`undone_first`: the step that was under way comes when all has been undone."""
    orden, stock = shop(world)
    go_on(world, *STEPS[:done])
    world.broker.send(ComandoCancelarOrden(orden.id_orden, orden.transaction_id))
    go_on(world, "cancelar-orden")
    if undone_first:
        world.run(without=STEPS)
    world.run()
    require(postgres, orden, stock, "cancelada")
    assert not [topic for topic, _, _ in world.broker.published if topic.endswith("-dlq")]


@pytest.mark.parametrize("first", ["cancelar-orden", "despachar-orden"])
def test_of_cancelling_and_dispatching_the_first_wins_and_the_other_is_refused(
    postgres: Platform, world: World, first: str
) -> None:
    orden, stock = shop(world)
    world.run()
    ids: tuple[Id, Id] = (orden.id_orden, orden.transaction_id)
    world.broker.send(ComandoCancelarOrden(*ids), ComandoDespacharOrden(*ids))
    go_on(world, first)
    world.run()
    require(postgres, orden, stock, "cancelada" if first == "cancelar-orden" else "despachada")
    refusals = [topic for topic, _, _ in world.broker.published if topic == "saga/evento-rechazo"]
    assert len(refusals) == 1
