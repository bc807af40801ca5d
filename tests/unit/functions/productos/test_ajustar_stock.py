"""productos/comando-ajustar-stock: the decision."""

from dataclasses import replace

import pytest

from functions.messages.envelope import InvalidMessage, now
from functions.messages.ids import new
from functions.messages.payloads import MAX_INT, ComandoAjustarStock, ComandoEliminarProducto, Movimiento
from functions.productos import decisions
from functions.productos.movimientos import Ajuste
from tests.support.data import ajustar, stored_producto


@pytest.mark.parametrize(("stock", "cantidad"), [(10, 5), (10, -10), (0, MAX_INT), (MAX_INT, -MAX_INT)])
def test_the_stock_is_adjusted_and_the_movement_told(stock: int, cantidad: int) -> None:
    cafe, moment = stored_producto(stock), now()
    comando = ajustar(cafe.id_producto, cantidad)
    after, ajuste, outputs = decisions.ajustar(cafe, None, comando, moment)
    told = Movimiento(2, moment, "ajuste", None, comando.id_ajuste, cantidad, stock + cantidad, comando.motivo, False)
    expected = replace(cafe, stock=stock + cantidad, version=2, fecha_actualizacion=moment, movimientos=[told])
    assert (after, outputs) == (expected, [expected])
    assert ajuste == Ajuste(comando.id_ajuste, cafe.id_producto, cantidad, comando.motivo, False, moment)


@pytest.mark.parametrize(
    ("stock", "cantidad", "eliminado"), [(10, -11, False), (MAX_INT, 1, False), (0, -MAX_INT, False), (10, 1, True)]
)
def test_what_is_not_possible_leaves_the_stock_and_is_told_as_refused(
    stock: int, cantidad: int, eliminado: bool
) -> None:
    cafe, moment = stored_producto(stock), now()
    if eliminado:
        cafe = decisions.eliminar(cafe, ComandoEliminarProducto(cafe.id_producto), moment)[0]
    comando = ajustar(cafe.id_producto, cantidad)
    after, ajuste, outputs = decisions.ajustar(cafe, None, comando, moment)
    version = cafe.version + 1
    told = Movimiento(version, moment, "ajuste", None, comando.id_ajuste, cantidad, stock, comando.motivo, True)
    expected = replace(cafe, version=version, fecha_actualizacion=moment, movimientos=[told])
    assert (after, outputs) == (expected, [expected])
    assert ajuste.rechazado


def test_another_message_for_the_same_adjustment_changes_nothing_whatever_it_says() -> None:
    cafe = stored_producto(10)
    comando = ajustar(cafe.id_producto)
    after, ajuste, _ = decisions.ajustar(cafe, None, comando, now())
    for again in (comando, replace(comando, cantidad=-3)):
        assert decisions.ajustar(after, ajuste, again, now()) == (after, ajuste, [])


def test_an_unknown_product_is_an_impossible_message() -> None:
    comando = ajustar(new())
    with pytest.raises(InvalidMessage, match=f"id_producto is {comando.id_producto}"):
        decisions.ajustar(None, None, comando, now())


@pytest.mark.parametrize("cantidad", [0, MAX_INT + 1, -MAX_INT - 1])
def test_a_quantity_that_changes_nothing_or_does_not_fit_is_none(cantidad: int) -> None:
    with pytest.raises(ValueError, match=f"cantidad is {cantidad}"):
        ComandoAjustarStock(new(), new(), cantidad, "Inventario")
