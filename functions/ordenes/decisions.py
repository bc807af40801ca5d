"""Orders: their states and the decisions about them. Pure.

creada ──► iniciada   a driver was assigned
   └─────► fallida    compensated; `motivo` says why

An order that stays `creada` is looked after at each deadline: its saga is pushed on, in the end given up.
"""

from dataclasses import replace
from typing import Final

from functions.messages.envelope import InvalidMessage
from functions.messages.payloads import (
    ComandoCrearOrden,
    ComandoDisminuirStock,
    ComandoLiberarConductor,
    ComandoMarcarListoDespacho,
    ComandoRevertirOrdenCreada,
    ComandoVerificarOrden,
    EventoOrden,
    Payload,
)

CREADA: Final = "creada"
INICIADA: Final = "iniciada"
FALLIDA: Final = "fallida"
TRANSITIONS: Final = {CREADA: (INICIADA, FALLIDA), INICIADA: (), FALLIDA: ()}
"""What may become of an order in each state; whatever asks for something else changes nothing."""

DEADLINES: Final = 3
"""Deadlines that an order is given: at each but the last its saga is pushed on."""
TIMED_OUT: Final = "plazo vencido"

Orden = EventoOrden
"""An order's whole state, as its domain event carries it."""
Decision = tuple[Orden, list[Payload]]


def crear(orden: Orden | None, comando: ComandoCrearOrden) -> Decision:
    """A new order is `creada` and its stock is asked for; asking twice for the same order changes nothing."""
    if orden is not None:
        return orden, [_pedir_stock(orden)] if orden.estado == CREADA else []
    new = EventoOrden(
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
        instrucciones_entrega=comando.instrucciones_entrega,
    )
    return new, [_pedir_stock(new), new, ComandoVerificarOrden(new.id_orden, 1, new.transaction_id)]


def marcar_listo(orden: Orden | None, comando: ComandoMarcarListoDespacho) -> Decision:
    """`creada` → `iniciada`; an order that has ended stays as it is."""
    return _transition(orden, comando, INICIADA, id_driver=comando.id_conductor)


def revertir(orden: Orden | None, comando: ComandoRevertirOrdenCreada) -> Decision:
    """`creada` → `fallida`; an order that has ended stays as it is."""
    return _transition(orden, comando, FALLIDA, motivo=comando.motivo)


def verificar(orden: Orden | None, comando: ComandoVerificarOrden) -> Decision:
    """A deadline is over. An order that has not ended has its first step asked for again, with the same id: each
    function has a receipt for what it did, and publishes it again. At the last deadline the order fails, and what
    was done for it is undone, last step first, whether it was done or not, now or later.
    """
    if orden is not None and orden.estado == CREADA and comando.intento < DEADLINES:
        return orden, [
            _pedir_stock(orden),
            ComandoVerificarOrden(orden.id_orden, comando.intento + 1, orden.transaction_id),
        ]
    checked, outputs = _transition(orden, comando, FALLIDA, motivo=TIMED_OUT)
    if outputs:
        outputs.append(_pedir_compensacion(checked))
    return checked, outputs


def _transition(
    orden: Orden | None,
    comando: ComandoMarcarListoDespacho | ComandoRevertirOrdenCreada | ComandoVerificarOrden,
    estado: str,
    **changes: object,
) -> Decision:
    if orden is None:
        raise InvalidMessage(f"id_orden is {comando.id_orden}: there is no such order")
    if estado not in TRANSITIONS[orden.estado]:
        return orden, []
    ended = replace(orden, estado=estado, version=orden.version + 1, **changes)  # type: ignore[arg-type]
    return ended, [ended]


def _pedir_stock(orden: Orden) -> ComandoDisminuirStock:
    return ComandoDisminuirStock(
        id_producto=orden.id_producto,
        id_orden=orden.id_orden,
        cantidad=orden.cantidad,
        direccion_entrega=orden.direccion_entrega,
        transaction_id=orden.transaction_id,
        instrucciones_entrega=orden.instrucciones_entrega,
    )


def _pedir_compensacion(orden: Orden) -> ComandoLiberarConductor:
    return ComandoLiberarConductor(
        id_producto=orden.id_producto,
        id_orden=orden.id_orden,
        cantidad=orden.cantidad,
        direccion_entrega=orden.direccion_entrega,
        motivo=TIMED_OUT,
        transaction_id=orden.transaction_id,
    )
