"""Orders: their states and the decisions about them. Pure.

creada ──► iniciada   a driver was assigned
   └─────► fallida    compensated; `motivo` says why

An order that stays `creada` is checked again and again: its saga is pushed on, in the end given up.
Every time is one of the clock of the database `ordenes`.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from functions.messages.envelope import InvalidMessage, require_same_saga
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
from functions.ordenes.deadlines import Plazos

CREADA: Final = "creada"
INICIADA: Final = "iniciada"
FALLIDA: Final = "fallida"
TRANSITIONS: Final = {CREADA: (INICIADA, FALLIDA), INICIADA: (), FALLIDA: ()}
"""What may become of an order in each state; whatever asks for something else changes nothing."""

TIMED_OUT: Final = "plazo vencido"

Orden = EventoOrden
"""An order's whole state, as its domain event carries it."""
Decision = tuple[Orden, list[Payload]]


def crear(orden: Orden | None, comando: ComandoCrearOrden, now: datetime, plazos: Plazos) -> Decision:
    """A new order is `creada` and its stock is asked for; asking twice for the same order changes nothing."""
    if orden is not None:
        _require_same_saga(orden, comando)
        return orden, [_pedir_stock(orden, plazos.vence(orden, 1, now))] if orden.estado == CREADA else []
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
        creada_en=now,
    )
    return new, [_pedir_stock(new, plazos.vence(new, 1, now)), new, _check(new, 1, now, plazos)]


def marcar_listo(orden: Orden | None, comando: ComandoMarcarListoDespacho) -> Decision:
    """`creada` → `iniciada`; an order that has ended stays as it is."""
    return _transition(orden, comando, INICIADA, id_driver=comando.id_conductor)


def revertir(orden: Orden | None, comando: ComandoRevertirOrdenCreada) -> Decision:
    """`creada` → `fallida`; an order that has ended stays as it is."""
    return _transition(orden, comando, FALLIDA, motivo=comando.motivo)


def verificar(
    orden: Orden | None, comando: ComandoVerificarOrden, now: datetime, plazos: Plazos
) -> tuple[Orden | None, list[Payload]]:
    """A check. An order that has not ended has its first step asked for again, with the same id: each function has a
    receipt for what it did, and publishes it again. Once it is given up the order fails, and what was done for it is
    undone, last step first, whether it was done or not, now or later. A check that comes long before it is due, from a
    broker whose clock is wrong, asks for nothing.

    An order that does not exist, after a restore from a backup for example, is checked again at once in a message of
    its own, which is quarantined: the other orders of this one are none of its business.
    """
    if orden is None:
        if comando.programado is None:
            raise _unknown(comando)
        return None, [replace(comando, otras=None, programado=None)]
    if orden.estado != CREADA:
        return orden, []
    if plazos.is_over(orden, now):
        fallida = _ended(orden, FALLIDA, motivo=TIMED_OUT)
        return fallida, [fallida, _pedir_compensacion(fallida)]
    number = comando.intento + 1
    # by how much the broker's clock is ahead, as far as one sees
    early = max(comando.programado - now, timedelta()) if comando.programado is not None else timedelta()
    following = _check(orden, number, now, plazos, early)
    if early > plazos.wait(comando.intento) / 2:
        return orden, [following]
    return orden, [_pedir_stock(orden, plazos.vence(orden, number, now)), following]


def _transition(
    orden: Orden | None,
    comando: ComandoMarcarListoDespacho | ComandoRevertirOrdenCreada,
    estado: str,
    **changes: object,
) -> Decision:
    if orden is None:
        raise _unknown(comando)
    _require_same_saga(orden, comando)
    if estado not in TRANSITIONS[orden.estado]:
        return orden, []
    ended = _ended(orden, estado, **changes)
    return ended, [ended]


def _ended(orden: Orden, estado: str, **changes: object) -> Orden:
    return replace(orden, estado=estado, version=orden.version + 1, **changes)  # type: ignore[arg-type]


def _unknown(
    comando: ComandoMarcarListoDespacho | ComandoRevertirOrdenCreada | ComandoVerificarOrden,
) -> InvalidMessage:
    return InvalidMessage(f"id_orden is {comando.id_orden}: there is no such order")


def _require_same_saga(
    orden: Orden, comando: ComandoCrearOrden | ComandoMarcarListoDespacho | ComandoRevertirOrdenCreada
) -> None:
    require_same_saga(orden.id_orden, orden.transaction_id, comando.transaction_id)


def _check(
    orden: Orden, number: int, now: datetime, plazos: Plazos, early: timedelta = timedelta()
) -> ComandoVerificarOrden:
    due = plazos.due(orden, number, now)
    if early and due - now <= early:
        due += early  # else it would come at once, and again, until the order is given up
    return ComandoVerificarOrden(orden.id_orden, number, orden.transaction_id, programado=due)


def _pedir_stock(orden: Orden, vence: datetime) -> ComandoDisminuirStock:
    return ComandoDisminuirStock(
        id_producto=orden.id_producto,
        id_orden=orden.id_orden,
        cantidad=orden.cantidad,
        direccion_entrega=orden.direccion_entrega,
        transaction_id=orden.transaction_id,
        instrucciones_entrega=orden.instrucciones_entrega,
        vence=vence,
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
