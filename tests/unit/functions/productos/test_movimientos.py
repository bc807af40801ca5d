"""Movements of stock: what is told of a batch, and in how few events."""

from dataclasses import replace

from functions.messages.codec import MAX_BYTES, codec
from functions.messages.envelope import now
from functions.messages.ids import new
from functions.messages.payloads import MAX_INT, EventoProducto, Payload
from functions.productos import decisions
from functions.productos.movimientos import REVERSION, gather, moved, updated
from tests.support.data import make_orden, pedir_stock, stored_producto


def versions(*events: Payload) -> list[list[int]]:
    """Of the movements that each event tells."""
    return [[m.version for m in event.movimientos or ()] for event in events if isinstance(event, EventoProducto)]


def test_of_the_events_of_a_batch_the_last_of_each_product_is_said_with_all_movements() -> None:
    cafe, tea, moment = stored_producto(10), stored_producto(10), now()
    one, _, outputs_one = decisions.disminuir(cafe, None, pedir_stock(make_orden(id_producto=cafe.id_producto)), moment)
    _, _, outputs_other = decisions.disminuir(tea, None, pedir_stock(make_orden(id_producto=tea.id_producto)), moment)
    two, _, outputs_two = decisions.disminuir(one, None, pedir_stock(make_orden(id_producto=cafe.id_producto)), moment)
    assert one is not None
    assert two is not None
    both = [*(one.movimientos or ()), *(two.movimientos or ())]
    assert gather([outputs_one, outputs_other, outputs_two]) == [
        outputs_one[:1],
        outputs_other,
        [outputs_two[0], replace(two, movimientos=both)],
    ]


def test_changes_without_a_movement_are_told_by_the_last_event_too() -> None:
    cafe, moment = stored_producto(), now()
    renamed = updated(cafe, moment, nombre="Té")
    sold = moved(renamed, moment, "reserva", -1, id_orden=new())
    deleted = updated(sold, moment, eliminado=True)
    assert gather([[renamed], [], [sold, deleted]]) == [[], [], [replace(deleted, movimientos=sold.movimientos)]]
    assert gather([[renamed]]) == [[renamed]]


def test_what_is_too_much_for_one_message_is_told_in_parts() -> None:
    producto, outputs = replace(stored_producto(MAX_INT // 2), version=MAX_INT - 1000), []
    for _ in range(500):
        producto = moved(producto, now(), REVERSION, 1_000_000, id_orden=new(), motivo="ñ" * 100)
        outputs.append([producto])
    told = gather(outputs)
    events = [event for group in told for event in group]
    assert len(events) == 3
    assert [version for part in versions(*events) for version in part] == [
        event.version for group in outputs for event in group
    ]
    for event in events:
        assert isinstance(event, EventoProducto)
        assert event.movimientos is not None
        last = event.movimientos[-1]
        assert (event.version, event.stock) == (last.version, last.stock)
        raw = codec(event.topic).encode(new(), 0, "productos", replace(event, nombre="ñ" * 255))
        assert MAX_BYTES / 4 < len(raw) < MAX_BYTES
        assert codec(event.topic).decode(raw).data == replace(event, nombre="ñ" * 255)


def test_a_full_batch_of_orders_of_one_product_is_one_event() -> None:
    producto, outputs = stored_producto(MAX_INT), []
    for _ in range(500):
        producto = moved(producto, now(), "reserva", -1, id_orden=new())
        outputs.append([producto])
    assert [len(group) for group in gather(outputs)] == [0] * 499 + [1]
