"""productos/comando-renombrar-producto: the decision."""

from dataclasses import replace

import pytest

from functions.messages.envelope import InvalidMessage, now
from functions.messages.ids import new
from functions.messages.payloads import ComandoEliminarProducto, ComandoRenombrarProducto
from functions.productos import decisions
from tests.support.data import make_producto, stored_producto


def test_the_product_has_another_name_and_the_same_stock() -> None:
    cafe, moment = stored_producto(), now()
    renamed, outputs = decisions.renombrar(cafe, ComandoRenombrarProducto(cafe.id_producto, "Té"), moment)
    assert renamed == replace(cafe, nombre="Té", version=2, fecha_actualizacion=moment)
    assert outputs == [renamed]


def test_what_led_to_its_state_before_in_the_same_batch_is_not_told_again() -> None:
    cafe, _ = decisions.crear(None, make_producto(), now())
    assert decisions.renombrar(cafe, ComandoRenombrarProducto(cafe.id_producto, "Té"), now())[0].movimientos is None


def test_the_name_that_it_has_and_a_deleted_product_change_nothing() -> None:
    cafe = stored_producto()
    assert decisions.renombrar(cafe, ComandoRenombrarProducto(cafe.id_producto, cafe.nombre), now()) == (cafe, [])
    deleted, _ = decisions.eliminar(cafe, ComandoEliminarProducto(cafe.id_producto), now())
    assert decisions.renombrar(deleted, ComandoRenombrarProducto(cafe.id_producto, "Té"), now()) == (deleted, [])


def test_an_unknown_product_is_an_impossible_message() -> None:
    comando = ComandoRenombrarProducto(new(), "Té")
    with pytest.raises(InvalidMessage, match=f"id_producto is {comando.id_producto}"):
        decisions.renombrar(None, comando, now())
