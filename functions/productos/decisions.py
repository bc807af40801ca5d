"""Products and the stock that orders reserve: the decisions about them. Pure.

A reservation is kept under its order's id and is `reservada`, `rechazada` or `revertida`: whoever asks for
the same again, with whatever message, gets the same answer and changes nothing.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar

from functions.messages.envelope import InvalidMessage, has_expired, require_same_saga
from functions.messages.frozen import frozen
from functions.messages.ids import Id
from functions.messages.payloads import (
    MAX_INT,
    ComandoAsignarConductor,
    ComandoCrearProducto,
    ComandoDisminuirStock,
    ComandoEliminarProducto,
    ComandoRevertirDisminuirStock,
    ComandoRevertirOrdenCreada,
    EventoProducto,
    Payload,
)

RESERVADA: Final = "reservada"
RECHAZADA: Final = "rechazada"
REVERTIDA: Final = "revertida"

NO_STOCK: Final = "stock insuficiente"
UNKNOWN_PRODUCTO: Final = "producto desconocido"
DELETED_PRODUCTO: Final = "producto eliminado"

Producto = EventoProducto
"""A product's whole state, as its domain event carries it."""


@frozen
class Reserva:
    """The stock that one order holds. `motivo` is why it is not `reservada`; `transaction_id` its saga, None for those
    that are older than the table's column.
    """

    id_orden: Id
    id_producto: Id
    cantidad: int
    estado: str
    motivo: str | None
    transaction_id: Id | None


R = TypeVar("R", bound=Reserva | None)
DecisionStock = tuple[Producto | None, R, list[Payload]]


def crear(producto: Producto | None, comando: ComandoCrearProducto, now: datetime) -> tuple[Producto, list[Payload]]:
    """A new product; creating it twice changes nothing."""
    if producto is not None:
        return producto, []
    new = EventoProducto(comando.id_producto, comando.nombre, comando.stock, now, now, False, 1)
    return new, [new]


def eliminar(
    producto: Producto | None, comando: ComandoEliminarProducto, now: datetime
) -> tuple[Producto, list[Payload]]:
    """A deleted product stays, marked: orders under way can still give back their stock, and a command to
    create it that comes late changes nothing."""
    if producto is None:
        eliminado = EventoProducto(comando.id_producto, "", 0, now, now, True, 1)
    elif producto.eliminado:
        return producto, []
    else:
        eliminado = _updated(producto, now, eliminado=True)
    return eliminado, [eliminado]


def disminuir(
    producto: Producto | None, reserva: Reserva | None, comando: ComandoDisminuirStock, now: datetime
) -> DecisionStock[Reserva | None]:
    """Reserves stock and asks for a driver; or refuses, and the order is compensated. What is no longer wanted has no
    effect: whoever asked has given the order up, or asks again.
    """
    if reserva is not None:
        require_same_saga(reserva.id_orden, reserva.transaction_id, comando.transaction_id)
        following = _pedir_conductor(comando) if reserva.estado == RESERVADA else _revert_orden(reserva, comando)
        return producto, reserva, [following]
    if has_expired(comando.vence, now):
        return producto, None, []
    motivo = _refusal_reason(producto, comando.cantidad)
    if producto is None or motivo is not None:
        reserva = _reserva(comando, RECHAZADA, motivo)
        return producto, reserva, [_revert_orden(reserva, comando)]
    reduced = _updated(producto, now, stock=producto.stock - comando.cantidad)
    reserva = _reserva(comando, RESERVADA)
    return reduced, reserva, [_pedir_conductor(comando), reduced]


def revertir(
    producto: Producto | None, reserva: Reserva | None, comando: ComandoRevertirDisminuirStock, now: datetime
) -> DecisionStock[Reserva]:
    """Gives back exactly what the order holds, once, and has the order compensated."""
    if reserva is None:
        # remembered, so that a request for stock that comes late is refused
        reserva = _reserva(comando, REVERTIDA, comando.motivo)
        return producto, reserva, [_revert_orden(reserva, comando)]
    require_same_saga(reserva.id_orden, reserva.transaction_id, comando.transaction_id)
    if reserva.estado != RESERVADA:
        return producto, reserva, [_revert_orden(reserva, comando)]
    if producto is None or producto.stock > MAX_INT - reserva.cantidad:
        raise InvalidMessage(f"id_orden is {comando.id_orden}: its product can't take back {reserva.cantidad}")
    restored = _updated(producto, now, stock=producto.stock + reserva.cantidad)
    reserva = replace(reserva, estado=REVERTIDA, motivo=comando.motivo)
    return restored, reserva, [_revert_orden(reserva, comando), restored]


def _reserva(
    comando: ComandoDisminuirStock | ComandoRevertirDisminuirStock, estado: str, motivo: str | None = None
) -> Reserva:
    return Reserva(comando.id_orden, comando.id_producto, comando.cantidad, estado, motivo, comando.transaction_id)


def _refusal_reason(producto: Producto | None, cantidad: int) -> str | None:
    if producto is None:
        return UNKNOWN_PRODUCTO
    if producto.eliminado:
        return DELETED_PRODUCTO
    return NO_STOCK if producto.stock < cantidad else None


def _updated(producto: Producto, now: datetime, **changes: object) -> Producto:
    version = producto.version + 1
    return replace(producto, fecha_actualizacion=now, version=version, **changes)  # type: ignore[arg-type]


def _pedir_conductor(comando: ComandoDisminuirStock) -> ComandoAsignarConductor:
    return ComandoAsignarConductor(
        id_producto=comando.id_producto,
        id_orden=comando.id_orden,
        cantidad=comando.cantidad,
        direccion_entrega=comando.direccion_entrega,
        transaction_id=comando.transaction_id,
        instrucciones_entrega=comando.instrucciones_entrega,
        vence=comando.vence,
    )


def _revert_orden(
    reserva: Reserva, comando: ComandoDisminuirStock | ComandoRevertirDisminuirStock
) -> ComandoRevertirOrdenCreada:
    return ComandoRevertirOrdenCreada(
        id_producto=comando.id_producto,
        id_orden=comando.id_orden,
        motivo=reserva.motivo or UNKNOWN_PRODUCTO,
        transaction_id=comando.transaction_id,
    )
