"""productos/comando-eliminar-producto: the decision."""

from functions.messages.envelope import now
from functions.messages.payloads import (
    ComandoEliminarProducto,
)
from functions.productos import decisions
from tests.support.data import make_orden, make_producto, pedir_stock, revertir_stock, stored_producto


def test_a_deleted_product_still_takes_stock_back() -> None:
    cafe = stored_producto(10)
    orden = make_orden(id_producto=cafe.id_producto, cantidad=4)
    reduced, reserva, _ = decisions.disminuir(cafe, None, pedir_stock(orden), now())
    eliminado, _ = decisions.eliminar(reduced, ComandoEliminarProducto(cafe.id_producto), now())
    assert eliminado.movimientos is None, "the stock is as it was"
    restored, _, _ = decisions.revertir(eliminado, reserva, revertir_stock(orden), now())
    assert restored is not None
    assert (restored.stock, restored.eliminado) == (10, True)


def test_a_product_that_is_deleted_before_it_is_created_stays_deleted() -> None:
    comando = make_producto()
    eliminado, outputs = decisions.eliminar(None, ComandoEliminarProducto(comando.id_producto), now())
    assert (eliminado.eliminado, outputs) == (True, [eliminado])
    assert decisions.crear(eliminado, comando, now()) == (eliminado, [])
    assert decisions.eliminar(eliminado, ComandoEliminarProducto(comando.id_producto), now()) == (eliminado, [])
