"""Products and the stock that orders reserve: the decisions about them. Pure.

A reservation is kept under its order's id and is `reservada`, `rechazada` or `revertida`: whoever asks for
the same again, with whatever message, gets the same answer and changes nothing.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from functions.comun.ids import Id
from functions.comun.inmutable import inmutable
from functions.comun.lote import Salidas
from functions.comun.mensajes import (
    ENTERO_MAXIMO,
    AsignarConductor,
    CrearProducto,
    Datos,
    DisminuirStock,
    EliminarProducto,
    EventoProducto,
    MensajeInvalido,
    RevertirDisminuirStock,
    RevertirOrdenCreada,
)

RESERVADA: Final = "reservada"
RECHAZADA: Final = "rechazada"
REVERTIDA: Final = "revertida"

SIN_STOCK: Final = "stock insuficiente"
DESCONOCIDO: Final = "producto desconocido"
ELIMINADO: Final = "producto eliminado"

Producto = EventoProducto
"""A product's whole state, as its domain event carries it."""


@inmutable
class Reserva:
    """The stock that one order holds. `motivo` is why it is not `reservada`."""

    id_orden: Id
    id_producto: Id
    cantidad: int
    estado: str
    motivo: str | None = None


DecisionStock = tuple[Producto | None, Reserva, list[Datos]]


def crear(producto: Producto | None, comando: CrearProducto, ahora: datetime) -> tuple[Producto, list[Datos]]:
    """A new product; creating it twice changes nothing."""
    if producto is not None:
        return producto, []
    nuevo = EventoProducto(comando.id_producto, comando.nombre, comando.stock, ahora, ahora, False, 1)
    return nuevo, [nuevo]


def eliminar(producto: Producto | None, comando: EliminarProducto, ahora: datetime) -> tuple[Producto, list[Datos]]:
    """A deleted product stays, marked: orders under way can still give back their stock, and a command to
    create it that comes late changes nothing."""
    if producto is None:
        eliminado = EventoProducto(comando.id_producto, "", 0, ahora, ahora, True, 1)
    elif producto.eliminado:
        return producto, []
    else:
        eliminado = _cambiar(producto, ahora, eliminado=True)
    return eliminado, [eliminado]


def disminuir(
    producto: Producto | None, reserva: Reserva | None, comando: DisminuirStock, ahora: datetime
) -> DecisionStock:
    """Reserves stock and asks for a driver; or refuses, and the order is compensated."""
    if reserva is not None:
        siguiente = _pedir_conductor(comando) if reserva.estado == RESERVADA else _fallar(reserva, comando)
        return producto, reserva, [siguiente]
    motivo = _motivo_de_rechazo(producto, comando.cantidad)
    if producto is None or motivo is not None:
        reserva = Reserva(comando.id_orden, comando.id_producto, comando.cantidad, RECHAZADA, motivo)
        return producto, reserva, [_fallar(reserva, comando)]
    disminuido = _cambiar(producto, ahora, stock=producto.stock - comando.cantidad)
    reserva = Reserva(comando.id_orden, comando.id_producto, comando.cantidad, RESERVADA)
    return disminuido, reserva, [_pedir_conductor(comando), disminuido]


def revertir(
    producto: Producto | None, reserva: Reserva | None, comando: RevertirDisminuirStock, ahora: datetime
) -> DecisionStock:
    """Gives back exactly what the order holds, once, and has the order compensated."""
    if reserva is None:
        # remembered, so that a request for stock that comes late is refused
        reserva = Reserva(comando.id_orden, comando.id_producto, comando.cantidad, REVERTIDA, comando.motivo)
        return producto, reserva, [_fallar(reserva, comando)]
    if reserva.estado != RESERVADA:
        return producto, reserva, [_fallar(reserva, comando)]
    if producto is None or producto.stock > ENTERO_MAXIMO - reserva.cantidad:
        raise MensajeInvalido(f"id_orden is {comando.id_orden}: its product can't take back {reserva.cantidad}")
    repuesto = _cambiar(producto, ahora, stock=producto.stock + reserva.cantidad)
    reserva = replace(reserva, estado=REVERTIDA, motivo=comando.motivo)
    return repuesto, reserva, [_fallar(reserva, comando), repuesto]


def resumir(salidas: Salidas, productos: Mapping[Id, Producto]) -> Salidas:
    """The same with the last event of each product only: it says what those before it in the batch said."""
    return [
        [dicha for dicha in lista if not isinstance(dicha, EventoProducto) or dicha is productos[dicha.id_producto]]
        for lista in salidas
    ]


def _motivo_de_rechazo(producto: Producto | None, cantidad: int) -> str | None:
    if producto is None:
        return DESCONOCIDO
    if producto.eliminado:
        return ELIMINADO
    return SIN_STOCK if producto.stock < cantidad else None


def _cambiar(producto: Producto, ahora: datetime, **cambios: object) -> Producto:
    version = producto.version + 1
    return replace(producto, fecha_actualizacion=ahora, version=version, **cambios)  # type: ignore[arg-type]


def _pedir_conductor(comando: DisminuirStock) -> AsignarConductor:
    return AsignarConductor(
        id_producto=comando.id_producto,
        id_orden=comando.id_orden,
        cantidad=comando.cantidad,
        direccion_entrega=comando.direccion_entrega,
        transaction_id=comando.transaction_id,
        instrucciones_entrega=comando.instrucciones_entrega,
    )


def _fallar(reserva: Reserva, comando: DisminuirStock | RevertirDisminuirStock) -> RevertirOrdenCreada:
    return RevertirOrdenCreada(
        id_producto=comando.id_producto,
        id_orden=comando.id_orden,
        motivo=reserva.motivo or DESCONOCIDO,
        transaction_id=comando.transaction_id,
    )
