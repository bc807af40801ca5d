"""What drivers, receipts and logs do, on PostgreSQL and on the simulator's database in memory: the same."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

import functions.conductores.tables as conductores
import functions.ordenes.tables as ordenes
import functions.productos.tables as productos
import functions.saga.tables as saga
from functions.conductores.decisions import ASIGNADA, LIBERADA, Asignacion
from functions.conductores.states import Changes
from functions.engine import receipts
from functions.messages.envelope import Message, now
from functions.messages.ids import Id, new
from functions.messages.outgoing import derive
from functions.messages.payloads import ComandoRegistrarConductor, ComandoSuspenderPlazos, Conductor
from functions.postgres import errors
from tests.support.data import make_orden, revertir, stored_producto
from tests.support.transactions import Connect, in_transaction, refusal

READ_CONDUCTORES = sa.text("""
    select id_conductor, estado, id_orden, version from conductores
    where id_conductor = any(cast(:ids as uuid[])) order by id_conductor for update""")


def register(connect: Connect, count: int) -> list[Id]:
    """Drivers, one of them twice, by id."""
    commands = [ComandoRegistrarConductor(new(), None) for _ in range(count)]
    in_transaction(connect("conductores"), lambda tx: conductores.registrar(tx, [*commands, commands[0]], now()))
    return sorted(command.id_conductor for command in commands)


def test_free_drivers_are_taken_in_the_order_of_their_ids_and_come_back(connect: Connect) -> None:
    ids, changes = register(connect, 4), Changes(now())
    assigned = {
        i: Asignacion(i, driver, "Calle 45", ASIGNADA, None, new())
        for i, driver in zip((new(), new()), ids, strict=False)
    }
    free, _, rest = in_transaction(
        connect("conductores"),
        lambda tx: conductores.libres(tx, 3),
        lambda tx: conductores.save(changes, tx, {}, assigned),
        lambda tx: conductores.libres(tx, 10),
    )
    assert ([libre.id_conductor for libre in free], [libre.id_conductor for libre in rest]) == (ids[:3], ids[2:])
    assert {libre.version for libre in rest} == {1}
    first = min(assigned)
    freed = {first: replace(assigned[first], id_conductor=None, estado=LIBERADA, motivo="plazo vencido")}
    in_transaction(connect("conductores"), lambda tx: conductores.save(changes, tx, assigned, assigned | freed))
    ((event,), driver) = changes.events(), assigned[first].id_conductor
    assert event.conductores == [Conductor(driver, None, "libre", None, changes.moment, 3)]  # type: ignore[attr-defined,arg-type]
    (free,) = in_transaction(connect("conductores"), lambda tx: conductores.libres(tx, 10))
    assert [(libre.id_conductor, libre.version) for libre in free] == [*((i, 1) for i in ids[2:]), (driver, 3)]
    register_again = ComandoRegistrarConductor(ids[1], "again")
    in_transaction(connect("conductores"), lambda tx: conductores.registrar(tx, [register_again], now()))
    assert len(in_transaction(connect("conductores"), lambda tx: conductores.libres(tx, 10))[0]) == 3


def test_no_two_orders_have_the_same_driver(connect: Connect) -> None:
    (driver,), changes = register(connect, 1), Changes(now())
    first, second = (Asignacion(new(), driver, "Calle 45", ASIGNADA, None, new()) for _ in range(2))
    in_transaction(connect("conductores"), lambda tx: conductores.save(changes, tx, {}, {first.id_orden: first}))
    error = refusal(connect, "conductores", lambda tx: conductores.save(changes, tx, {}, {second.id_orden: second}))
    assert errors.sqlstate(error.orig) == "23505"


def test_drivers_are_loaded_as_they_were_saved_with_the_orders_at_hand(connect: Connect) -> None:
    ids, changes = register(connect, 3), Changes(now())
    taken = Asignacion(new(), ids[0], "Calle 45", ASIGNADA, None, new())
    in_transaction(connect("conductores"), lambda tx: conductores.save(changes, tx, {}, {taken.id_orden: taken}))
    (before,) = in_transaction(connect("conductores"), lambda tx: conductores.load_conductores(tx, [*ids, new()]))
    assert before.keys() == set(ids)
    assert before[ids[0]] == Conductor(ids[0], None, "asignado", taken.id_orden, changes.moment, 2)
    assert (before[ids[1]].estado, before[ids[1]].id_orden, before[ids[1]].version) == ("libre", None, 1)
    unknown = Conductor(new(), None, "retirado", None, changes.moment, 1)
    after = {
        ids[0]: replace(before[ids[0]], estado="retirado", version=3),
        ids[1]: replace(before[ids[1]], nombre="Eva", version=2),
        ids[2]: before[ids[2]],
        unknown.id_conductor: unknown,
    }
    in_transaction(connect("conductores"), lambda tx: conductores.conductores(changes).save(tx, before, after))
    assert in_transaction(connect("conductores"), lambda tx: conductores.load_conductores(tx, list(after))) == [after]
    freed = replace(taken, id_conductor=None, estado=LIBERADA, motivo="plazo vencido")
    before_and_after = {taken.id_orden: taken}, {taken.id_orden: freed}
    in_transaction(connect("conductores"), lambda tx: conductores.save(changes, tx, *before_and_after))
    (loaded,) = in_transaction(connect("conductores"), lambda tx: conductores.load_conductores(tx, [ids[0]]))
    assert loaded == {ids[0]: replace(after[ids[0]], id_orden=None, version=4)}
    (free,) = in_transaction(connect("conductores"), lambda tx: conductores.libres(tx, 10))
    assert sorted(libre.id_conductor for libre in free) == ids[1:]


def test_of_drivers_the_newest_state_is_read(connect: Connect) -> None:
    first = Conductor(new(), "Ana", "libre", None, now(), 1)
    newer = replace(first, estado="asignado", id_orden=new(), version=2)
    for told in (first, newer, first):
        in_transaction(connect("conductores_lectura"), lambda tx, told=told: conductores.proyectar(tx, [told]))  # type: ignore[misc]
    (rows,) = in_transaction(
        connect("conductores_lectura"), lambda tx: list(tx.execute(READ_CONDUCTORES, {"ids": [first.id_conductor]}))
    )
    assert [tuple(row) for row in rows] == [(first.id_conductor, "asignado", newer.id_orden, 2)]


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
