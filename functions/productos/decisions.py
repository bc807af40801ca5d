"""Products, the stock that orders reserve and people adjust: the decisions about them. Pure.

A reservation is kept under its order's id and is `reservada`, `rechazada` or `revertida`, an adjustment under its own:
whoever asks for the same again, with whatever message, gets the same answer and changes nothing.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar

from functions.messages.envelope import InvalidMessage, has_expired, require_same_saga
from functions.messages.frozen import frozen
from functions.messages.ids import Id
from functions.messages.payloads import (
    MAX_INT,
    ComandoAjustarStock,
    ComandoAsignarConductor,
    ComandoCrearProducto,
    ComandoDisminuirStock,
    ComandoEliminarProducto,
    ComandoRenombrarProducto,
    ComandoRevertirDisminuirStock,
    ComandoRevertirOrdenCreada,
    Payload,
)
from functions.productos.movimientos import AJUSTE, RESERVA, REVERSION, Ajuste, Producto, created, moved, updated

RESERVADA: Final = "reservada"
RECHAZADA: Final = "rechazada"
REVERTIDA: Final = "revertida"

NO_STOCK: Final = "stock insuficiente"
UNKNOWN_PRODUCTO: Final = "producto desconocido"
DELETED_PRODUCTO: Final = "producto eliminado"


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
    new = created(comando.id_producto, comando.nombre, comando.stock, now)
    return new, [new]


def eliminar(
    producto: Producto | None, comando: ComandoEliminarProducto, now: datetime
) -> tuple[Producto, list[Payload]]:
    """A deleted product stays, marked: orders under way can still give back their stock, and a command to
    create it that comes late changes nothing."""
    if producto is None:
        eliminado = Producto(comando.id_producto, "", 0, now, now, True, 1)
    elif producto.eliminado:
        return producto, []
    else:
        eliminado = updated(producto, now, eliminado=True)
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
    reduced = moved(producto, now, RESERVA, -comando.cantidad, id_orden=comando.id_orden)
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
    restored = moved(producto, now, REVERSION, reserva.cantidad, id_orden=comando.id_orden, motivo=comando.motivo)
    reserva = replace(reserva, estado=REVERTIDA, motivo=comando.motivo)
    return restored, reserva, [_revert_orden(reserva, comando), restored]


def ajustar(
    producto: Producto | None, ajuste: Ajuste | None, comando: ComandoAjustarStock, now: datetime
) -> tuple[Producto, Ajuste, list[Payload]]:
    """Changes the stock by hand, once for each adjustment. What would leave less than nothing, or more than can be
    stored, and what comes for a deleted product is refused: it changes no stock, and is told like what was done. Raises
    InvalidMessage if there is no such product.
    """
    if producto is None:
        raise InvalidMessage(f"id_producto is {comando.id_producto}: there is no such product")
    if ajuste is not None:
        return producto, ajuste, []
    cantidad, motivo = comando.cantidad, comando.motivo
    rechazado = producto.eliminado or not 0 <= producto.stock + cantidad <= MAX_INT
    ajuste = Ajuste(comando.id_ajuste, comando.id_producto, cantidad, motivo, rechazado, now)
    adjusted = moved(producto, now, AJUSTE, cantidad, id_ajuste=comando.id_ajuste, motivo=motivo, rechazado=rechazado)
    return adjusted, ajuste, [adjusted]


def renombrar(
    producto: Producto | None, comando: ComandoRenombrarProducto, now: datetime
) -> tuple[Producto, list[Payload]]:
    """Gives a product another name; the name that it has, and a deleted product change nothing. Raises InvalidMessage
    if there is no such product.
    """
    if producto is None:
        raise InvalidMessage(f"id_producto is {comando.id_producto}: there is no such product")
    if producto.eliminado or producto.nombre == comando.nombre:
        return producto, []
    renamed = updated(producto, now, nombre=comando.nombre)
    return renamed, [renamed]


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
