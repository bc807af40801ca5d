"""The decisions about products and reservations of stock."""

import pytest

from functions.comun.mensajes import (
    ENTERO_MAXIMO,
    AsignarConductor,
    EliminarProducto,
    MensajeInvalido,
    RevertirOrdenCreada,
    ahora,
)
from functions.productos import dominio
from functions.productos.dominio import Producto
from tests.datos import devolver_stock, pedir_stock, un_producto, una_orden


def producto(stock: int = 10) -> Producto:
    return dominio.crear(None, un_producto(stock=stock), ahora())[0]


def test_creating_a_product_twice_changes_nothing() -> None:
    comando = un_producto(stock=7)
    nuevo, salidas = dominio.crear(None, comando, ahora())
    assert (nuevo.stock, nuevo.version, nuevo.eliminado, salidas) == (7, 1, False, [nuevo])
    assert dominio.crear(nuevo, un_producto(stock=9), ahora()) == (nuevo, [])


def test_stock_is_reserved_and_a_driver_asked_for() -> None:
    cafe = producto(10)
    comando = pedir_stock(una_orden(id_producto=cafe.id_producto, cantidad=10))
    despues, reserva, (siguiente, evento) = dominio.disminuir(cafe, None, comando, ahora())
    assert despues == evento
    assert isinstance(siguiente, AsignarConductor)
    assert despues is not None
    assert (despues.stock, despues.version, reserva.estado) == (0, 2, "reservada")


@pytest.mark.parametrize(
    ("stock", "eliminado", "motivo"),
    [(9, False, "stock insuficiente"), (50, True, "producto eliminado"), (None, False, "producto desconocido")],
)
def test_what_cannot_be_reserved_is_refused_with_the_reason(stock: int | None, eliminado: bool, motivo: str) -> None:
    cafe = None if stock is None else producto(stock)
    if cafe is not None and eliminado:
        cafe = dominio.eliminar(cafe, EliminarProducto(cafe.id_producto), ahora())[0]
    despues, reserva, salidas = dominio.disminuir(cafe, None, pedir_stock(una_orden(cantidad=10)), ahora())
    assert despues == cafe
    assert (reserva.estado, reserva.motivo) == ("rechazada", motivo)
    assert [(type(salida), salida.motivo) for salida in salidas] == [(RevertirOrdenCreada, motivo)]  # type: ignore[attr-defined]


def test_another_message_for_the_same_order_reserves_nothing_again() -> None:
    cafe = producto(10)
    comando = pedir_stock(una_orden(id_producto=cafe.id_producto))
    despues, reserva, (siguiente, _) = dominio.disminuir(cafe, None, comando, ahora())
    assert dominio.disminuir(despues, reserva, comando, ahora()) == (despues, reserva, [siguiente])


def test_of_the_events_of_a_batch_the_last_of_each_product_is_said() -> None:
    cafe, te = producto(10), producto(10)
    uno, _, salidas_uno = dominio.disminuir(cafe, None, pedir_stock(una_orden(id_producto=cafe.id_producto)), ahora())
    otro, _, salidas_otro = dominio.disminuir(te, None, pedir_stock(una_orden(id_producto=te.id_producto)), ahora())
    dos, _, salidas_dos = dominio.disminuir(uno, None, pedir_stock(una_orden(id_producto=cafe.id_producto)), ahora())
    assert uno is not None
    assert otro is not None
    assert dos is not None
    estado = {cafe.id_producto: dos, te.id_producto: otro}
    assert dominio.resumir([salidas_uno, salidas_otro, salidas_dos], estado) == [
        salidas_uno[:1],
        salidas_otro,
        salidas_dos,
    ]


def test_stock_is_given_back_once() -> None:
    cafe = producto(10)
    orden = una_orden(id_producto=cafe.id_producto, cantidad=4)
    reducido, reserva, _ = dominio.disminuir(cafe, None, pedir_stock(orden), ahora())
    repuesto, revertida, (fallar, evento) = dominio.revertir(reducido, reserva, devolver_stock(orden), ahora())
    assert repuesto == evento
    assert repuesto is not None
    assert (repuesto.stock, revertida.estado) == (10, "revertida")
    assert dominio.revertir(repuesto, revertida, devolver_stock(orden), ahora()) == (repuesto, revertida, [fallar])


def test_what_is_given_back_is_what_was_reserved_whatever_the_message_says() -> None:
    cafe = producto(10)
    orden = una_orden(id_producto=cafe.id_producto, cantidad=4)
    reducido, reserva, _ = dominio.disminuir(cafe, None, pedir_stock(orden), ahora())
    mentira = devolver_stock(una_orden(id_orden=orden.id_orden, id_producto=cafe.id_producto, cantidad=9))
    repuesto, _, _ = dominio.revertir(reducido, reserva, mentira, ahora())
    assert repuesto is not None
    assert repuesto.stock == 10


def test_a_request_for_stock_that_comes_after_its_compensation_is_refused() -> None:
    cafe = producto(10)
    orden = una_orden(id_producto=cafe.id_producto)
    _, revertida, _ = dominio.revertir(cafe, None, devolver_stock(orden), ahora())
    despues, reserva, salidas = dominio.disminuir(cafe, revertida, pedir_stock(orden), ahora())
    assert (despues, reserva) == (cafe, revertida)
    assert isinstance(salidas[0], RevertirOrdenCreada)


def test_a_deleted_product_still_takes_stock_back() -> None:
    cafe = producto(10)
    orden = una_orden(id_producto=cafe.id_producto, cantidad=4)
    reducido, reserva, _ = dominio.disminuir(cafe, None, pedir_stock(orden), ahora())
    eliminado, _ = dominio.eliminar(reducido, EliminarProducto(cafe.id_producto), ahora())
    repuesto, _, _ = dominio.revertir(eliminado, reserva, devolver_stock(orden), ahora())
    assert repuesto is not None
    assert (repuesto.stock, repuesto.eliminado) == (10, True)


def test_a_product_that_is_deleted_before_it_is_created_stays_deleted() -> None:
    comando = un_producto()
    eliminado, salidas = dominio.eliminar(None, EliminarProducto(comando.id_producto), ahora())
    assert (eliminado.eliminado, salidas) == (True, [eliminado])
    assert dominio.crear(eliminado, comando, ahora()) == (eliminado, [])
    assert dominio.eliminar(eliminado, EliminarProducto(comando.id_producto), ahora()) == (eliminado, [])


def test_stock_that_would_not_fit_is_an_impossible_message() -> None:
    orden = una_orden(cantidad=1)
    reserva = dominio.Reserva(orden.id_orden, orden.id_producto, 1, dominio.RESERVADA)
    with pytest.raises(MensajeInvalido):
        dominio.revertir(producto(ENTERO_MAXIMO), reserva, devolver_stock(orden), ahora())
