"""What a function's configuration says that it publishes (PUBLICA, for the catalogue) is what it publishes."""

from collections.abc import Callable

from functions.messages.ids import Id, new
from functions.messages.outgoing import unpack
from functions.messages.payloads import (
    ComandoCancelarOrden,
    ComandoCrearProducto,
    ComandoDespacharOrden,
    ComandoEliminarProducto,
    ComandoEntregarOrden,
    ComandoRegistrarConductor,
    ComandoRenombrarConductor,
    ComandoRenombrarProducto,
    ComandoRetirarConductor,
    Payload,
)
from tests.support import engines
from tests.support.data import REQUESTS, ajustar, devolver, make_orden, make_producto
from tests.support.platform import Platform
from tests.support.world import FUNCTIONS, World


def published_topics(postgres: Platform, name: str) -> set[str]:
    """The topics in a function's receipts; a function without a table of receipts publishes nothing."""
    database = engines.configuration(name)["userConfig"]["DB_NAME"]
    if not postgres.sql(database, "select 1 from pg_tables where tablename = 'recibos'"):
        return set()
    rows = postgres.sql(database, "select salidas from recibos where funcion = :f", f=name)
    return {output.topic for (outputs,) in rows for output in unpack(bytes(outputs))}


def _ask(world: World, id_orden: Id, transaction_id: Id, *comandos: Callable[[Id, Id], Payload]) -> None:
    """One after the other, each to its end."""
    for comando in comandos:
        world.broker.send(comando(id_orden, transaction_id))
        world.run()


def serve_orders_that_wait(postgres: Platform, world: World, producto: ComandoCrearProducto) -> None:
    """Orders that wait get a new driver, those of delivered and of cancelled orders, and one whom a function left free
    that knows of no waits. The last order waits too long.
    """
    world.configure("asignar-conductor", ESPERA_CONDUCTOR=60)
    ordenes = [make_orden(id_producto=producto.id_producto, cantidad=1) for _ in range(8)]
    world.broker.send(*ordenes)
    not_yet = ["revisar-espera", "verificar-orden"]
    world.run(without=not_yet)
    world.broker.send(ComandoRegistrarConductor(new(), None))
    world.run(without=not_yet)
    world.broker.send(*(ComandoDespacharOrden(o.id_orden, o.transaction_id) for o in ordenes))
    world.run(without=not_yet)
    world.broker.send(*(ComandoEntregarOrden(o.id_orden, o.transaction_id) for o in ordenes))
    world.run(without=not_yet)
    world.broker.send(*(ComandoCancelarOrden(o.id_orden, o.transaction_id) for o in ordenes[:4]))
    world.run(without=not_yet)
    postgres.sql("conductores", "insert into conductores (id_conductor) values (:id)", id=new())
    world.broker.due.clear()  # some checks come before the waits are over, and again later
    world.run()


def test_sagas_of_every_kind_publish_what_is_declared_and_nothing_else(postgres: Platform, world: World) -> None:
    world.clear()
    in_stock, sold_out = make_producto(), make_producto(stock=0)
    world.broker.send(in_stock, sold_out, ComandoRegistrarConductor(new(), None))
    world.run()
    # one that goes well, one without a driver, one without stock; then one that is given up
    delivered, no_driver, refused = (make_orden(id_producto=p.id_producto) for p in (in_stock, in_stock, sold_out))
    world.broker.send(delivered)
    world.run()
    world.broker.send(no_driver, refused)
    world.run()
    world.broker.send(make_orden(id_producto=in_stock.id_producto), ComandoEliminarProducto(sold_out.id_producto))
    world.run(without=["disminuir-stock"])
    world.run()
    # what people ask of products
    ids = in_stock.id_producto, sold_out.id_producto
    world.broker.send(*map(ajustar, ids), *(ComandoRenombrarProducto(id_producto, "Té") for id_producto in ids))
    world.run()
    # and of orders: one is delivered, one is brought back, one is cancelled; and what is not possible
    _ask(world, delivered.id_orden, delivered.transaction_id, ComandoDespacharOrden, ComandoEntregarOrden)
    for then in ([ComandoDespacharOrden, devolver], [ComandoCancelarOrden]):
        orden = make_orden(id_producto=in_stock.id_producto)
        world.broker.send(orden)
        world.run()
        _ask(world, orden.id_orden, orden.transaction_id, *then)
    _ask(world, refused.id_orden, refused.transaction_id, *REQUESTS.values())
    serve_orders_that_wait(postgres, world, in_stock)
    ((id_conductor,),) = postgres.sql("conductores", "select id_conductor::text from conductores limit 1")
    world.broker.send(ComandoRenombrarConductor(id_conductor, "Eva"), ComandoRetirarConductor(id_conductor))
    world.run()
    declared = {name: set(engines.configuration(name)["userConfig"].get("PUBLICA", ())) for name in FUNCTIONS}
    assert {name: published_topics(postgres, name) for name in FUNCTIONS} == declared
