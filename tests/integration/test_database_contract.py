"""What orders and products do, on PostgreSQL and on the simulator's database in memory: the same."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

import functions.ordenes.tables as ordenes
import functions.productos.tables as productos
from functions.engine import receipts
from functions.messages.envelope import now
from functions.messages.ids import new
from functions.ordenes import states
from functions.postgres import errors
from functions.productos.decisions import RESERVADA, REVERTIDA, Reserva
from functions.productos.decisions import ajustar as ajustar_stock
from functions.productos.decisions import crear as crear_producto
from functions.productos.movimientos import Ajuste
from tests.support.data import ajustar, make_producto, stored_orden, stored_producto
from tests.support.transactions import Connect, in_transaction, refusal

READ_ORDENES = sa.text("""
    select id_orden, estado, version from ordenes
    where id_orden = any(cast(:ids as uuid[])) order by id_orden for update""")
READ_MOVIMIENTOS = sa.text("""
    select id_producto, version, stock from movimientos
    where id_producto = any(cast(:ids as uuid[])) order by id_producto for update""")


def test_orders_are_loaded_as_they_were_saved(connect: Connect) -> None:
    stored = {orden.id_orden: orden for orden in (stored_orden(), stored_orden())}
    in_transaction(connect("ordenes"), lambda tx: ordenes.save(tx, {}, stored))
    (loaded,) = in_transaction(connect("ordenes"), lambda tx: ordenes.load(tx, [*stored, new()]))
    assert loaded == stored
    assert list(loaded) == sorted(stored)


def test_a_change_is_stored_and_what_is_older_changes_nothing(connect: Connect) -> None:
    first = stored_orden()
    ended = replace(first, estado=states.FALLIDA, motivo="stock insuficiente", version=2)
    for events in ([first], [ended], [first]):
        in_transaction(connect("ordenes_lectura"), lambda tx, events=events: ordenes.proyectar(tx, events))  # type: ignore[misc]
    (rows,) = in_transaction(
        connect("ordenes_lectura"), lambda tx: list(tx.execute(READ_ORDENES, {"ids": [first.id_orden]}))
    )
    assert [tuple(row) for row in rows] == [(first.id_orden, states.FALLIDA, 2)]


def test_a_change_is_saved(connect: Connect) -> None:
    first = stored_orden()
    ended = replace(first, estado=states.INICIADA, id_driver=new(), version=2, iniciada_en=first.creada_en)
    in_transaction(connect("ordenes"), lambda tx: ordenes.save(tx, {}, {first.id_orden: first}))
    in_transaction(connect("ordenes"), lambda tx: ordenes.save(tx, {first.id_orden: first}, {first.id_orden: ended}))
    assert in_transaction(connect("ordenes"), lambda tx: ordenes.load(tx, [first.id_orden])) == [
        {first.id_orden: ended}
    ]


def test_what_fails_leaves_nothing(connect: Connect) -> None:
    producto = stored_producto()
    in_transaction(connect("productos"), lambda tx: productos.save(tx, {}, {producto.id_producto: producto}))
    sold, other = replace(producto, stock=1, version=2), stored_producto()

    def fail(_: object) -> None:
        raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        in_transaction(
            connect("productos"),
            lambda tx: productos.save(tx, {producto.id_producto: producto}, {producto.id_producto: sold}),
            lambda tx: productos.save(tx, {}, {other.id_producto: other}),
            fail,
        )
    ids = [producto.id_producto, other.id_producto]
    assert in_transaction(connect("productos"), lambda tx: productos.load(tx, ids)) == [
        {producto.id_producto: producto}
    ]


def test_what_is_there_is_not_inserted_again(connect: Connect) -> None:
    orden = stored_orden()
    in_transaction(connect("ordenes"), lambda tx: ordenes.save(tx, {}, {orden.id_orden: orden}))
    error = refusal(connect, "ordenes", lambda tx: ordenes.save(tx, {}, {orden.id_orden: orden}))
    assert errors.sqlstate(error.orig) == "23505"
    assert not receipts.is_duplicate(error)


def test_a_row_is_changed_once_by_a_statement(connect: Connect) -> None:
    orden = stored_orden()
    error = refusal(connect, "ordenes_lectura", lambda tx: ordenes.proyectar(tx, [orden, replace(orden, version=2)]))
    assert errors.sqlstate(error.orig) == "21000"


def test_stock_is_never_negative(connect: Connect) -> None:
    producto = replace(stored_producto(), stock=-1)
    error = refusal(connect, "productos", lambda tx: productos.save(tx, {}, {producto.id_producto: producto}))
    assert errors.sqlstate(error.orig) == "23514"


def test_reservations_are_saved_and_changed(connect: Connect) -> None:
    held = Reserva(new(), new(), 2, RESERVADA, None, new())
    returned = replace(held, estado=REVERTIDA, motivo="plazo vencido")
    key = held.id_orden
    in_transaction(connect("productos"), lambda tx: productos.save_reservas(tx, {}, {key: held}))
    in_transaction(connect("productos"), lambda tx: productos.save_reservas(tx, {key: held}, {key: returned}))
    assert in_transaction(connect("productos"), lambda tx: productos.load_reservas(tx, [key])) == [{key: returned}]
    without_reason = replace(held, id_orden=new(), estado=REVERTIDA)
    error = refusal(
        connect, "productos", lambda tx: productos.save_reservas(tx, {}, {without_reason.id_orden: without_reason})
    )
    assert errors.sqlstate(error.orig) == "23514"


def test_adjustments_are_saved_once(connect: Connect) -> None:
    done = Ajuste(new(), new(), -3, "Inventario", False, now())
    refused = replace(done, id_ajuste=new(), rechazado=True)
    both = {ajuste.id_ajuste: ajuste for ajuste in (done, refused)}
    in_transaction(connect("productos"), lambda tx: productos.save_ajustes(tx, {}, both))
    assert in_transaction(connect("productos"), lambda tx: productos.load_ajustes(tx, [*both, new()])) == [both]
    in_transaction(connect("productos"), lambda tx: productos.save_ajustes(tx, both, both))
    error = refusal(connect, "productos", lambda tx: productos.save_ajustes(tx, {}, both))
    assert errors.sqlstate(error.orig) == "23505"
    of_nothing = {new(): replace(done, id_ajuste=new(), cantidad=0)}
    error = refusal(connect, "productos", lambda tx: productos.save_ajustes(tx, {}, of_nothing))
    assert errors.sqlstate(error.orig) == "23514"


def test_movements_are_added_once_for_each_version(connect: Connect) -> None:
    first, _ = crear_producto(None, make_producto(), now())
    second, _, _ = ajustar_stock(first, None, ajustar(first.id_producto), now())
    other = replace(first, id_producto=new())
    for eventos in ([second, first, other], [first], [second, replace(second, movimientos=None)], []):
        in_transaction(
            connect("productos_lectura"),
            lambda tx, eventos=eventos: productos.add_movimientos(tx, eventos),  # type: ignore[misc]
        )
    again = replace(second, movimientos=[replace((second.movimientos or [])[0], stock=0)] * 2)
    in_transaction(connect("productos_lectura"), lambda tx: productos.add_movimientos(tx, [again]))
    (rows,) = in_transaction(
        connect("productos_lectura"),
        lambda tx: list(tx.execute(READ_MOVIMIENTOS, {"ids": [first.id_producto, other.id_producto]})),
    )
    keys = [(evento.id_producto, evento.version, evento.stock) for evento in (first, second, other)]
    assert sorted(tuple(row) for row in rows) == sorted(keys)
