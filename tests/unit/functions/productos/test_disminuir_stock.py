"""productos/comando-disminuir-stock: the decision."""

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.messages.envelope import now
from functions.messages.payloads import (
    ComandoAsignarConductor,
    ComandoEliminarProducto,
    ComandoRevertirOrdenCreada,
    Movimiento,
)
from functions.productos import decisions
from tests.support.data import make_orden, pedir_stock, stored_producto


def test_stock_is_reserved_and_a_driver_asked_for() -> None:
    cafe = stored_producto(10)
    comando = pedir_stock(make_orden(id_producto=cafe.id_producto, cantidad=10))
    after, reserva, (following, evento) = decisions.disminuir(cafe, None, comando, now())
    assert after == evento
    assert isinstance(following, ComandoAsignarConductor)
    assert after is not None
    assert reserva is not None
    assert (after.stock, after.version, reserva.estado) == (0, 2, "reservada")
    moment = after.fecha_actualizacion
    assert after.movimientos == [Movimiento(2, moment, "reserva", comando.id_orden, None, -10, 0, None, False)]


@pytest.mark.parametrize(
    ("stock", "eliminado", "motivo"),
    [(9, False, "stock insuficiente"), (50, True, "producto eliminado"), (None, False, "producto desconocido")],
)
def test_what_cannot_be_reserved_is_refused_with_the_reason(stock: int | None, eliminado: bool, motivo: str) -> None:
    cafe = None if stock is None else stored_producto(stock)
    if cafe is not None and eliminado:
        cafe = decisions.eliminar(cafe, ComandoEliminarProducto(cafe.id_producto), now())[0]
    after, reserva, outputs = decisions.disminuir(cafe, None, pedir_stock(make_orden(cantidad=10)), now())
    assert after == cafe
    assert reserva is not None
    assert (reserva.estado, reserva.motivo) == ("rechazada", motivo)
    assert [(type(output), output.motivo) for output in outputs] == [(ComandoRevertirOrdenCreada, motivo)]  # type: ignore[attr-defined]


def test_another_message_for_the_same_order_reserves_nothing_again() -> None:
    cafe = stored_producto(10)
    comando = pedir_stock(make_orden(id_producto=cafe.id_producto))
    after, reserva, (following, _) = decisions.disminuir(cafe, None, comando, now())
    assert decisions.disminuir(after, reserva, comando, now()) == (after, reserva, [following])


def test_what_is_no_longer_wanted_has_no_effect() -> None:
    """Dead orders leave the stock to living ones, however late their commands come."""
    cafe, moment = stored_producto(10), now()
    expired = pedir_stock(make_orden(id_producto=cafe.id_producto), vence=moment)
    assert decisions.disminuir(cafe, None, expired, moment) == (cafe, None, [])
    assert decisions.disminuir(None, None, expired, moment) == (None, None, [])
    wanted = pedir_stock(make_orden(id_producto=cafe.id_producto), vence=moment + timedelta(milliseconds=1))
    _, reserva, (following, _) = decisions.disminuir(cafe, None, wanted, moment)
    assert reserva is not None
    assert following.vence == wanted.vence  # type: ignore[attr-defined]


def test_stock_that_is_reserved_already_leads_on_until_the_driver_is_no_longer_wanted() -> None:
    cafe, moment = stored_producto(10), now()
    comando = pedir_stock(make_orden(id_producto=cafe.id_producto))
    after, reserva, (following, _) = decisions.disminuir(cafe, None, comando, moment)
    assert isinstance(following, ComandoAsignarConductor)
    expected = (after, reserva, [replace(following, vence=moment)])
    assert decisions.disminuir(after, reserva, replace(comando, vence=moment), moment) == expected
