"""What drivers, receipts and logs do, on PostgreSQL and on the simulator's database in memory: the same."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import functions.conductores.tables as conductores
import functions.ordenes.tables as ordenes
import functions.productos.tables as productos
import functions.saga.tables as saga
from functions.conductores.decisions import ASIGNADA, LIBERADA, Asignacion
from functions.engine import receipts
from functions.messages.envelope import Message
from functions.messages.ids import Id, new
from functions.messages.outgoing import derive
from functions.messages.payloads import ComandoRegistrarConductor, ComandoSuspenderPlazos
from functions.postgres import errors
from tests.support.data import make_orden, revertir, stored_producto
from tests.support.transactions import Connect, in_transaction, refusal


def register(connect: Connect, count: int) -> list[Id]:
    """Drivers, one of them twice, by id."""
    commands = [ComandoRegistrarConductor(new(), None) for _ in range(count)]
    in_transaction(connect("conductores"), lambda tx: conductores.registrar(tx, [*commands, commands[0]]))
    return sorted(command.id_conductor for command in commands)


def test_free_drivers_are_taken_in_the_order_of_their_ids_and_come_back(connect: Connect) -> None:
    ids = register(connect, 4)
    assigned = {
        i: Asignacion(i, driver, "Calle 45", ASIGNADA, None, new())
        for i, driver in zip((new(), new()), ids, strict=False)
    }
    free, _, rest = in_transaction(
        connect("conductores"),
        lambda tx: conductores.libres(tx, 3),
        lambda tx: conductores.save(tx, {}, assigned),
        lambda tx: conductores.libres(tx, 10),
    )
    assert (free, rest) == (ids[:3], ids[2:])
    first = min(assigned)
    freed = {first: replace(assigned[first], id_conductor=None, estado=LIBERADA, motivo="plazo vencido")}
    in_transaction(connect("conductores"), lambda tx: conductores.save(tx, assigned, assigned | freed))
    assert set(in_transaction(connect("conductores"), lambda tx: conductores.libres(tx, 10))[0]) == {
        assigned[first].id_conductor,
        *ids[2:],
    }
    register_again = ComandoRegistrarConductor(ids[1], "again")
    in_transaction(connect("conductores"), lambda tx: conductores.registrar(tx, [register_again]))
    assert len(in_transaction(connect("conductores"), lambda tx: conductores.libres(tx, 10))[0]) == 3


def test_no_two_orders_have_the_same_driver(connect: Connect) -> None:
    (driver,) = register(connect, 1)
    first, second = (Asignacion(new(), driver, "Calle 45", ASIGNADA, None, new()) for _ in range(2))
    in_transaction(connect("conductores"), lambda tx: conductores.save(tx, {}, {first.id_orden: first}))
    error = refusal(connect, "conductores", lambda tx: conductores.save(tx, {}, {second.id_orden: second}))
    assert errors.sqlstate(error.orig) == "23505"


def test_a_receipt_is_written_once_and_returns_its_outputs(connect: Connect) -> None:
    cause: Message[Any] = Message(new(), 1_000, 1_000, make_orden())
    outputs = {cause.id: derive(cause, "pruebas", [revertir(cause.data)]), new(): []}
    in_transaction(connect("ordenes"), lambda tx: receipts.save(tx, "crear-orden", outputs))
    messages = dict.fromkeys((*outputs, new()), cause)
    for function, expected in (("crear-orden", outputs), ("verificar-orden", {})):
        (repeated,) = in_transaction(
            connect("ordenes"),
            lambda tx, function=function: receipts.repeated(tx, function, messages),  # type: ignore[misc]
        )
        assert {key: [o.raw for o in found] for key, found in repeated.items()} == {
            key: [o.raw for o in expected[key]] for key in expected
        }
    error = refusal(connect, "ordenes", lambda tx: receipts.save(tx, "crear-orden", {cause.id: []}))
    assert receipts.is_duplicate(error)
    in_transaction(connect("ordenes"), lambda tx: receipts.save(tx, "verificar-orden", {cause.id: []}))


def test_what_operators_said_last_about_giving_up_counts(connect: Connect) -> None:
    said = [ComandoSuspenderPlazos(suspendidos, "Eva", "outage") for suspendidos in (True, False, True)]
    for comandos, expected in (([], False), (said[:2], False), (said[2:], True)):
        in_transaction(connect("ordenes"), *([partial(ordenes.suspend, comandos=comandos)] if comandos else []))
        assert in_transaction(connect("ordenes"), ordenes.are_suspended) == [expected]


def test_the_saga_log_takes_a_message_twice(connect: Connect) -> None:
    messages: list[Message[Any]] = [Message(new(), 1_000, 1_000, make_orden()) for _ in range(2)]
    for batch in (messages[:1], messages):
        in_transaction(connect("saga"), lambda tx, batch=batch: saga.save(tx, batch))  # type: ignore[misc]


def test_a_product_is_loaded_as_it_was_saved(connect: Connect) -> None:
    producto = stored_producto()
    newer = replace(producto, stock=3, version=2, fecha_actualizacion=producto.fecha_actualizacion + timedelta(hours=1))
    in_transaction(connect("productos"), lambda tx: productos.save(tx, {}, {producto.id_producto: producto}))
    for database in ("productos", "productos_lectura"):
        in_transaction(connect(database), lambda tx: productos.proyectar(tx, [newer]))
        in_transaction(connect(database), lambda tx: productos.proyectar(tx, [producto]))
        assert in_transaction(connect(database), lambda tx: productos.load(tx, [producto.id_producto])) == [
            {producto.id_producto: newer}
        ]
