"""productos/comando-revertir-disminuir-stock: the decision."""

from dataclasses import replace

import pytest

from functions.messages.envelope import InvalidMessage, now
from functions.messages.ids import new
from functions.messages.payloads import (
    MAX_INT,
    ComandoRevertirOrdenCreada,
    Movimiento,
)
from functions.productos import decisions
from tests.support.data import make_orden, pedir_stock, revertir_stock, stored_producto


def test_stock_is_given_back_once() -> None:
    cafe = stored_producto(10)
    orden = make_orden(id_producto=cafe.id_producto, cantidad=4)
    reduced, reserva, _ = decisions.disminuir(cafe, None, pedir_stock(orden), now())
    restored, revertida, (compensacion, evento) = decisions.revertir(reduced, reserva, revertir_stock(orden), now())
    assert restored == evento
    assert restored is not None
    assert (restored.stock, revertida.estado) == (10, "revertida")
    told = Movimiento(
        3, restored.fecha_actualizacion, "reversion", orden.id_orden, None, 4, 10, revertida.motivo, False
    )
    assert restored.movimientos == [told]
    assert decisions.revertir(restored, revertida, revertir_stock(orden), now()) == (
        restored,
        revertida,
        [compensacion],
    )


def test_what_is_given_back_is_what_was_reserved_whatever_the_message_says() -> None:
    cafe = stored_producto(10)
    orden = make_orden(id_producto=cafe.id_producto, cantidad=4)
    reduced, reserva, _ = decisions.disminuir(cafe, None, pedir_stock(orden), now())
    misstated = revertir_stock(replace(orden, cantidad=9))
    restored, _, _ = decisions.revertir(reduced, reserva, misstated, now())
    assert restored is not None
    assert restored.stock == 10


def test_a_request_for_stock_that_comes_after_its_compensation_is_refused() -> None:
    cafe = stored_producto(10)
    orden = make_orden(id_producto=cafe.id_producto)
    _, revertida, _ = decisions.revertir(cafe, None, revertir_stock(orden), now())
    after, reserva, outputs = decisions.disminuir(cafe, revertida, pedir_stock(orden), now())
    assert (after, reserva) == (cafe, revertida)
    assert isinstance(outputs[0], ComandoRevertirOrdenCreada)


def test_stock_that_would_not_fit_is_an_impossible_message() -> None:
    orden = make_orden(cantidad=1)
    reserva = decisions.Reserva(orden.id_orden, orden.id_producto, 1, decisions.RESERVADA, None, None)
    with pytest.raises(InvalidMessage):
        decisions.revertir(stored_producto(MAX_INT), reserva, revertir_stock(orden), now())


def test_what_another_saga_says_about_a_reservation_is_an_invalid_message() -> None:
    cafe = stored_producto(10)
    orden = make_orden(id_producto=cafe.id_producto, cantidad=4)
    reduced, reserva, _ = decisions.disminuir(cafe, None, pedir_stock(orden), now())
    forged = replace(orden, transaction_id=new())
    with pytest.raises(InvalidMessage, match=f"transaction_id is {forged.transaction_id}"):
        decisions.revertir(reduced, reserva, revertir_stock(forged), now())
    with pytest.raises(InvalidMessage, match=f"transaction_id is {forged.transaction_id}"):
        decisions.disminuir(reduced, reserva, pedir_stock(forged), now())


def test_a_reservation_that_is_older_than_the_sagas_column_is_still_given_back() -> None:
    cafe = stored_producto(10)
    orden = make_orden(id_producto=cafe.id_producto, cantidad=1)
    reserva = decisions.Reserva(orden.id_orden, orden.id_producto, 1, decisions.RESERVADA, None, None)
    restored, _, _ = decisions.revertir(cafe, reserva, revertir_stock(orden), now())
    assert restored is not None
    assert restored.stock == 11
