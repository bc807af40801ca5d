"""The decisions about orders: see `states` for what may become of one. Pure.

An order that stays `creada` is checked again and again: its saga is pushed on, in the end given up.
Every time is one of the clock of the database `ordenes`.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from functions.messages.envelope import InvalidMessage, require_same_saga
from functions.messages.payloads import (
    ComandoCancelarOrden,
    ComandoCompletarAsignacion,
    ComandoCrearOrden,
    ComandoDespacharOrden,
    ComandoDevolverOrden,
    ComandoDisminuirStock,
    ComandoEntregarOrden,
    ComandoLiberarConductor,
    ComandoMarcarListoDespacho,
    ComandoRevertirOrdenCreada,
    ComandoVerificarOrden,
    EventoOrden,
    EventoRechazo,
    Payload,
)
from functions.ordenes.deadlines import Plazos
from functions.ordenes.states import CANCELADA, CREADA, DESPACHADA, DEVUELTA, ENTREGADA, FALLIDA, INICIADA, Orden, move

TIMED_OUT: Final = "plazo vencido"

Decision = tuple[Orden, list[Payload]]
Step = ComandoMarcarListoDespacho | ComandoRevertirOrdenCreada
Request = ComandoCancelarOrden | ComandoDespacharOrden | ComandoEntregarOrden | ComandoDevolverOrden
"""What people ask of an order that is there; the saga's own steps are no requests."""


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


def marcar_listo(orden: Orden | None, comando: ComandoMarcarListoDespacho, now: datetime) -> Decision:
    """`creada` → `iniciada`; an order in another state stays as it is."""
    return _move(_known(orden, comando), INICIADA, now, id_driver=comando.id_conductor)


def revertir(orden: Orden | None, comando: ComandoRevertirOrdenCreada, now: datetime) -> Decision:
    """`creada` → `fallida`; an order in another state stays as it is."""
    return _move(_known(orden, comando), FALLIDA, now, motivo=comando.motivo)


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
        fallida, events = _move(orden, FALLIDA, now, motivo=TIMED_OUT)
        return fallida, [*events, _pedir_compensacion(orden, TIMED_OUT)]
    number = comando.intento + 1
    # by how much the broker's clock is ahead, as far as one sees
    early = max(comando.programado - now, timedelta()) if comando.programado is not None else timedelta()
    following = _check(orden, number, now, plazos, early)
    if early > plazos.wait(comando.intento) / 2:
        return orden, [following]
    return orden, [_pedir_stock(orden, plazos.vence(orden, number, now)), following]


def cancelar_orden(orden: Orden | None, comando: ComandoCancelarOrden, now: datetime) -> Decision:
    """`creada` or `iniciada` → `cancelada`; what was done for the order is undone, last step first, whether it was done
    or not, now or later.
    """
    orden = _known(orden, comando)
    return _answer(orden, comando, CANCELADA, now, _pedir_compensacion(orden, CANCELADA), motivo=comando.motivo)


def despachar_orden(orden: Orden | None, comando: ComandoDespacharOrden, now: datetime) -> Decision:
    """`iniciada` → `despachada`."""
    return _answer(_known(orden, comando), comando, DESPACHADA, now)


def entregar_orden(orden: Orden | None, comando: ComandoEntregarOrden, now: datetime) -> Decision:
    """`despachada` → `entregada`; its driver is free again."""
    orden = _known(orden, comando)
    done = ComandoCompletarAsignacion(orden.id_orden, orden.transaction_id)
    return _answer(orden, comando, ENTREGADA, now, done, recibido_por=comando.recibido_por)


def devolver_orden(orden: Orden | None, comando: ComandoDevolverOrden, now: datetime) -> Decision:
    """`despachada` → `devuelta`; what was done for the order is undone, last step first."""
    orden = _known(orden, comando)
    return _answer(orden, comando, DEVUELTA, now, _pedir_compensacion(orden, DEVUELTA), motivo=comando.motivo)


def _move(orden: Orden, estado: str, now: datetime, **changes: object) -> Decision:
    """A step of the saga: one that comes too late changes nothing."""
    moved = move(orden, estado, now, **changes)
    return (moved, [moved]) if moved else (orden, [])


def _answer(
    orden: Orden, comando: Request, estado: str, now: datetime, *following: Payload, **changes: object
) -> Decision:
    """What becomes of a request, with what follows from it. One that is not possible changes nothing, and that is said;
    neither is true of one for the state that the order is in.
    """
    if orden.estado == estado:
        return orden, []
    moved = move(orden, estado, now, **changes)
    if moved is None:
        name = comando.topic.partition("/")[2]
        return orden, [EventoRechazo(orden.id_orden, name, orden.estado, orden.transaction_id)]
    return moved, [*following, moved]


def _known(orden: Orden | None, comando: Step | Request) -> Orden:
    if orden is None:
        raise _unknown(comando)
    _require_same_saga(orden, comando)
    return orden


def _unknown(comando: Step | Request | ComandoVerificarOrden) -> InvalidMessage:
    return InvalidMessage(f"id_orden is {comando.id_orden}: there is no such order")


def _require_same_saga(orden: Orden, comando: ComandoCrearOrden | Step | Request) -> None:
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


def _pedir_compensacion(orden: Orden, motivo: str) -> ComandoLiberarConductor:
    return ComandoLiberarConductor(
        id_producto=orden.id_producto,
        id_orden=orden.id_orden,
        cantidad=orden.cantidad,
        direccion_entrega=orden.direccion_entrega,
        motivo=motivo,
        transaction_id=orden.transaction_id,
    )
