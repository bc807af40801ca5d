"""Orders: their states and the decisions about them. Pure.

creada ──► iniciada   a driver was assigned
   └─────► fallida    compensated; `motivo` says why
"""

from dataclasses import replace
from typing import Final

from functions.comun.mensajes import (
    CrearOrden,
    Datos,
    DisminuirStock,
    EventoOrden,
    MarcarListoDespacho,
    MensajeInvalido,
    RevertirOrdenCreada,
)

CREADA: Final = "creada"
INICIADA: Final = "iniciada"
FALLIDA: Final = "fallida"

Orden = EventoOrden
"""An order's whole state, as its domain event carries it."""
Decision = tuple[Orden, list[Datos]]


def crear(orden: Orden | None, comando: CrearOrden) -> Decision:
    """A new order is `creada` and its stock is asked for; asking twice for the same order changes nothing."""
    if orden is not None:
        return orden, [_pedir_stock(orden)] if orden.estado == CREADA else []
    nueva = EventoOrden(
        id_orden=comando.id_orden,
        id_producto=comando.id_producto,
        user_id=comando.user_id,
        time_stamp=comando.time_stamp,
        cantidad=comando.cantidad,
        direccion_entrega=comando.direccion_entrega,
        estado=CREADA,
        id_driver=None,
        motivo=None,
        transaction_id=comando.transaction_id,
        version=1,
    )
    return nueva, [_pedir_stock(nueva), nueva]


def marcar_listo(orden: Orden | None, comando: MarcarListoDespacho) -> Decision:
    """`creada` → `iniciada`; an order that has ended stays as it is."""
    return _terminar(orden, comando, estado=INICIADA, id_driver=comando.id_conductor)


def revertir(orden: Orden | None, comando: RevertirOrdenCreada) -> Decision:
    """`creada` → `fallida`; an order that has ended stays as it is."""
    return _terminar(orden, comando, estado=FALLIDA, motivo=comando.motivo)


def _terminar(orden: Orden | None, comando: MarcarListoDespacho | RevertirOrdenCreada, **cambios: object) -> Decision:
    if orden is None:
        raise MensajeInvalido(f"id_orden is {comando.id_orden}: there is no such order")
    if orden.estado != CREADA:
        return orden, []
    terminada = replace(orden, version=orden.version + 1, **cambios)  # type: ignore[arg-type]
    return terminada, [terminada]


def _pedir_stock(orden: Orden) -> DisminuirStock:
    return DisminuirStock(
        id_producto=orden.id_producto,
        id_orden=orden.id_orden,
        cantidad=orden.cantidad,
        direccion_entrega=orden.direccion_entrega,
        transaction_id=orden.transaction_id,
    )
