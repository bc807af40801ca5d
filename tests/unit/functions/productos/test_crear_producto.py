"""productos/comando-crear-producto: the decision."""

from functions.messages.envelope import now
from functions.messages.payloads import Movimiento
from functions.productos import decisions
from tests.support.data import make_producto


def test_creating_a_product_twice_changes_nothing() -> None:
    comando = make_producto(stock=7)
    new, outputs = decisions.crear(None, comando, now())
    assert (new.stock, new.version, new.eliminado, outputs) == (7, 1, False, [new])
    assert new.movimientos == [Movimiento(1, new.fecha_creacion, "creacion", None, None, 7, 7, None, False)]
    assert decisions.crear(new, make_producto(stock=9), now()) == (new, [])
