"""An instance that dies at any line, for every function: another one ends its work, and nothing is lost or doubled."""

from itertools import count

import pytest

from functions.messages.ids import new
from functions.messages.payloads import (
    ComandoCrearOrden,
    ComandoDespacharOrden,
    ComandoEliminarProducto,
    ComandoRegistrarConductor,
    ComandoRenombrarConductor,
    ComandoRenombrarProducto,
    ComandoRetirarConductor,
    ComandoSuspenderPlazos,
)
from tests.chaos import snapshot
from tests.chaos.invariants import broken_invariants
from tests.chaos.snapshot import Promised
from tests.support.data import REQUESTS, ajustar, make_orden, make_producto
from tests.support.platform import Platform
from tests.support.world import FUNCTIONS, World

IN_STOCK, SOLD_OUT = make_producto(stock=100_000), make_producto(stock=0)
MESSAGE_COUNT = 800
"""Far more messages than lines are executed for one: each line takes one."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_death_at_any_line_loses_nothing_and_doubles_nothing(postgres: Platform, world: World, name: str) -> None:
    world.clear()
    ordenes = prepare(world, name)
    lines = die_at_every_line(world, name)
    assert lines > 30, f"only {lines} lines: the function was not at work"
    print(f"{name}: {lines} deaths")
    world.run()
    state = snapshot.take(postgres, with_broker=False)
    renamed = list(map(str, state.productos)) if name == "renombrar-producto" else []
    stock = {str(p.id_producto): p.stock for p in (IN_STOCK, SOLD_OUT)}
    assert broken_invariants(state, Promised([str(o.id_orden) for o in ordenes], [], stock, renamed=renamed)) == {}


def die_at_every_line(world: World, name: str) -> int:
    """Dies at the first line with one message, at the second with the next one, …; how many deaths there were."""
    for line in count(1):
        message = world.pending(name)[:1]
        assert message, f"no message left for line {line}"
        if not world.deliver(name, message, dies_at=line):
            return line - 1
        if world.pending(name)[:1] == message:
            world.deliver(name, message)
    raise AssertionError


def prepare(world: World, name: str) -> list[ComandoCrearOrden]:
    """Brings the world to where many messages wait for this function, of orders that end in every way."""
    conductores = [ComandoRegistrarConductor(new(), None) for _ in range(MESSAGE_COUNT)]
    world.broker.send(IN_STOCK, SOLD_OUT, *conductores)
    world.run()
    ordenes = [
        make_orden(id_producto=p.id_producto, cantidad=1)
        for _ in range(2 * MESSAGE_COUNT)
        for p in (IN_STOCK, SOLD_OUT)
    ]
    if name == "liberar-conductor":
        world.broker.send(*ordenes)
        world.run(without=["liberar-conductor", "marcar-listo-despacho", "revertir-orden-creada"])
    elif name == "verificar-orden":
        world.broker.send(*ordenes)
        while batch := world.pending("crear-orden")[:4]:  # each batch has one message with its deadlines
            world.deliver("crear-orden", batch)
        world.run(without=["verificar-orden", "disminuir-stock"])
    elif name in ("registrar-conductor", "revisar-espera"):
        world.configure("asignar-conductor", ESPERA_CONDUCTOR=60)
        world.broker.send(*ordenes)
        world.run(without=["asignar-conductor", "verificar-orden"])
        while batch := world.pending("asignar-conductor")[:2]:  # each batch that waits has one message with its end
            world.deliver("asignar-conductor", batch)
        world.run(without=["revisar-espera", "verificar-orden"])
        if name == "registrar-conductor":
            world.broker.send(*(ComandoRegistrarConductor(new(), "Ana") for _ in range(MESSAGE_COUNT)))
    elif name in ("renombrar-conductor", "retirar-conductor"):
        ordenes = ordenes[:MESSAGE_COUNT]  # half of them have no stock: so many drivers stay free
        world.broker.send(*ordenes)
        world.run()
        ids_conductor = [one.id_conductor for one in conductores]
        if name == "renombrar-conductor":
            world.broker.send(*(ComandoRenombrarConductor(id_conductor, "Eva") for id_conductor in ids_conductor))
        else:
            world.broker.send(*map(ComandoRetirarConductor, ids_conductor))
    elif name == "proyectar-conductor":
        world.broker.send(*(ComandoRegistrarConductor(new(), "Ana") for _ in range(MESSAGE_COUNT)))
        while batch := world.pending("registrar-conductor")[:1]:  # one event for each
            world.deliver("registrar-conductor", batch)
        return []
    elif name == "suspender-plazos":
        world.broker.send(*(ComandoSuspenderPlazos(False, f"operador {n}", "prueba") for n in range(MESSAGE_COUNT)))
        return []
    elif name in REQUESTS or name == "completar-asignacion":
        world.broker.send(*ordenes)
        world.run()
        ids = [(orden.id_orden, orden.transaction_id) for orden in ordenes]
        if name not in ("cancelar-orden", "despachar-orden"):
            world.broker.send(*(ComandoDespacharOrden(*both) for both in ids))
            world.run()
        world.broker.send(*(REQUESTS.get(name, REQUESTS["entregar-orden"])(*both) for both in ids))
        world.run(without=[name])
    elif name == "ajustar-stock":
        adjusted = (IN_STOCK.id_producto, SOLD_OUT.id_producto)  # of the second one, all but the first are refused
        world.broker.send(
            *(ajustar(id_, cantidad) for _ in range(MESSAGE_COUNT // 2) for id_ in adjusted for cantidad in (1, -1))
        )
        return []
    elif name in ("crear-producto", "proyectar-producto", "eliminar-producto", "renombrar-producto"):
        others = [make_producto() for _ in range(MESSAGE_COUNT)]
        world.broker.send(*others)
        world.run(without=[name])
        if name == "eliminar-producto":
            world.broker.send(*(ComandoEliminarProducto(p.id_producto) for p in others))
        if name == "renombrar-producto":
            world.broker.send(*(ComandoRenombrarProducto(p.id_producto, "Té") for p in others))
        return []
    else:
        world.broker.send(*ordenes)
        world.run(without=[name, "verificar-orden"])
    return ordenes
