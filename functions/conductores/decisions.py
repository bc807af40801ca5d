"""Drivers and their assignments: the decisions about them. Pure.

An assignment is kept under its order's id and is `asignada`, `rechazada`, `liberada`, once the order was delivered
`completada`, or `esperando` while the order waits for a driver: whoever asks for the same order again, with whatever
message, gets the same answer and changes nothing.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from functions.messages.envelope import InvalidMessage, has_expired, require_same_saga
from functions.messages.frozen import frozen
from functions.messages.ids import Id
from functions.messages.payloads import (
    ComandoAsignarConductor,
    ComandoCompletarAsignacion,
    ComandoLiberarConductor,
    ComandoMarcarListoDespacho,
    ComandoRevertirDisminuirStock,
    Payload,
)

ASIGNADA: Final = "asignada"
RECHAZADA: Final = "rechazada"
LIBERADA: Final = "liberada"
COMPLETADA: Final = "completada"
ESPERANDO: Final = "esperando"

NO_CONDUCTOR: Final = "sin conductor libre"


@frozen
class Asignacion:
    """The driver that delivers one order. `motivo` is why it has none; `transaction_id` its saga, None for those that
    are older than the table's column.
    """

    id_orden: Id
    id_conductor: Id | None
    direccion_entrega: str
    estado: str
    motivo: str | None
    transaction_id: Id | None


@frozen
class Espera:
    """An order that waits for a driver since `desde`, until `hasta`; the rest is what asked for one."""

    id_orden: Id
    id_producto: Id
    cantidad: int
    direccion_entrega: str
    transaction_id: Id
    instrucciones_entrega: str | None
    desde: datetime
    hasta: datetime


Decision = tuple[Asignacion, list[Payload]]
Request = ComandoAsignarConductor | Espera
"""What asks for a driver."""


def asignar(
    asignacion: Asignacion | None,
    libre: Id | None,
    comando: ComandoAsignarConductor,
    now: datetime,
    wait: timedelta = timedelta(),
) -> tuple[Asignacion | None, list[Payload]]:
    """Gives a new order the driver `libre`. If there is none, the order waits for one, or, if `wait` is zero, it is
    refused and compensated. What has expired has no effect.
    """
    if asignacion is not None:
        require_same_saga(asignacion.id_orden, asignacion.transaction_id, comando.transaction_id)
        return asignacion, _answer(asignacion, comando)
    if has_expired(comando.vence, now):
        return None, []
    if libre is not None:
        return give(libre, comando)
    if not wait:
        return refuse(comando)
    return _asignacion(comando, ESPERANDO), []


def give(libre: Id, request: Request) -> Decision:
    """The order has the driver `libre`."""
    asignacion = _asignacion(request, ASIGNADA, libre)
    return asignacion, _answer(asignacion, request)


def refuse(request: Request) -> Decision:
    """The order gets no driver, and is compensated."""
    asignacion = _asignacion(request, RECHAZADA, motivo=NO_CONDUCTOR)
    return asignacion, _answer(asignacion, request)


def espera(comando: ComandoAsignarConductor, desde: datetime, hasta: datetime) -> Espera:
    """What an order that waits for a driver asked for."""
    return Espera(
        id_orden=comando.id_orden,
        id_producto=comando.id_producto,
        cantidad=comando.cantidad,
        direccion_entrega=comando.direccion_entrega,
        transaction_id=comando.transaction_id,
        instrucciones_entrega=comando.instrucciones_entrega,
        desde=desde,
        hasta=hasta,
    )


def _answer(asignacion: Asignacion, request: Request) -> list[Payload]:
    if asignacion.estado == ESPERANDO:
        return []
    if asignacion.id_conductor is None:
        return [_revertir(asignacion, request)]
    return [
        ComandoMarcarListoDespacho(
            id_orden=request.id_orden,
            id_conductor=asignacion.id_conductor,
            direccion_entrega=request.direccion_entrega,
            transaction_id=request.transaction_id,
            instrucciones_entrega=request.instrucciones_entrega,
        )
    ]


def liberar(asignacion: Asignacion | None, comando: ComandoLiberarConductor) -> Decision:
    """Frees the order's driver, or ends its wait for one; has the rest of the order compensated. An order without an
    assignment is remembered, so that a request for a driver that comes late is refused.
    """
    if asignacion is not None:
        require_same_saga(asignacion.id_orden, asignacion.transaction_id, comando.transaction_id)
        if asignacion.estado == COMPLETADA:
            raise InvalidMessage(f"id_orden is {comando.id_orden}: it was delivered, and can't be undone")
    if asignacion is None or asignacion.estado in (ASIGNADA, ESPERANDO):
        asignacion = _asignacion(comando, LIBERADA, motivo=comando.motivo)
    return asignacion, [_revertir(asignacion, comando)]


def completar_asignacion(asignacion: Asignacion | None, comando: ComandoCompletarAsignacion) -> Decision:
    """The order was delivered: its driver is free again. Raises InvalidMessage if no driver was assigned to it."""
    if asignacion is None or asignacion.id_conductor is None:
        raise InvalidMessage(f"id_orden is {comando.id_orden}: no driver was assigned to it")
    require_same_saga(asignacion.id_orden, asignacion.transaction_id, comando.transaction_id)
    return (replace(asignacion, estado=COMPLETADA) if asignacion.estado == ASIGNADA else asignacion), []


def _asignacion(
    comando: Request | ComandoLiberarConductor,
    estado: str,
    id_conductor: Id | None = None,
    motivo: str | None = None,
) -> Asignacion:
    return Asignacion(comando.id_orden, id_conductor, comando.direccion_entrega, estado, motivo, comando.transaction_id)


def _revertir(asignacion: Asignacion, comando: Request | ComandoLiberarConductor) -> ComandoRevertirDisminuirStock:
    return ComandoRevertirDisminuirStock(
        id_producto=comando.id_producto,
        id_orden=comando.id_orden,
        cantidad=comando.cantidad,
        direccion_entrega=comando.direccion_entrega,
        motivo=asignacion.motivo or NO_CONDUCTOR,
        transaction_id=comando.transaction_id,
    )
