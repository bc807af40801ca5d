"""Drivers and their assignments: the decisions about them. Pure.

An assignment is kept under its order's id and is `asignada`, `rechazada`, `liberada` or, once the order was delivered,
`completada`: whoever asks for the same order again, with whatever message, gets the same answer and changes nothing.
"""

from dataclasses import replace
from datetime import datetime
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


Decision = tuple[Asignacion, list[Payload]]


def asignar(
    asignacion: Asignacion | None, libre: Id | None, comando: ComandoAsignarConductor, now: datetime
) -> tuple[Asignacion | None, list[Payload]]:
    """Gives a new order the driver `libre`; or refuses, if there is none, and the order is compensated. What has
    expired has no effect.
    """
    if asignacion is not None:
        require_same_saga(asignacion.id_orden, asignacion.transaction_id, comando.transaction_id)
    elif has_expired(comando.vence, now):
        return None, []
    elif libre is None:
        asignacion = _asignacion(comando, RECHAZADA, motivo=NO_CONDUCTOR)
    else:
        asignacion = _asignacion(comando, ASIGNADA, libre)
    if asignacion.id_conductor is None:
        return asignacion, [_revertir(asignacion, comando)]
    return asignacion, [
        ComandoMarcarListoDespacho(
            id_orden=comando.id_orden,
            id_conductor=asignacion.id_conductor,
            direccion_entrega=comando.direccion_entrega,
            transaction_id=comando.transaction_id,
            instrucciones_entrega=comando.instrucciones_entrega,
        )
    ]


def liberar(asignacion: Asignacion | None, comando: ComandoLiberarConductor) -> Decision:
    """Frees the order's driver; has the rest of the order compensated. An order without an assignment is
    remembered, so that a request for a driver that comes late is refused.
    """
    if asignacion is not None:
        require_same_saga(asignacion.id_orden, asignacion.transaction_id, comando.transaction_id)
        if asignacion.estado == COMPLETADA:
            raise InvalidMessage(f"id_orden is {comando.id_orden}: it was delivered, and can't be undone")
    if asignacion is None or asignacion.estado == ASIGNADA:
        asignacion = _asignacion(comando, LIBERADA, motivo=comando.motivo)
    return asignacion, [_revertir(asignacion, comando)]


def completar_asignacion(asignacion: Asignacion | None, comando: ComandoCompletarAsignacion) -> Decision:
    """The order was delivered: its driver is free again. Raises InvalidMessage if no driver was assigned to it."""
    if asignacion is None or asignacion.id_conductor is None:
        raise InvalidMessage(f"id_orden is {comando.id_orden}: no driver was assigned to it")
    require_same_saga(asignacion.id_orden, asignacion.transaction_id, comando.transaction_id)
    return (replace(asignacion, estado=COMPLETADA) if asignacion.estado == ASIGNADA else asignacion), []


def _asignacion(
    comando: ComandoAsignarConductor | ComandoLiberarConductor,
    estado: str,
    id_conductor: Id | None = None,
    motivo: str | None = None,
) -> Asignacion:
    return Asignacion(comando.id_orden, id_conductor, comando.direccion_entrega, estado, motivo, comando.transaction_id)


def _revertir(
    asignacion: Asignacion, comando: ComandoAsignarConductor | ComandoLiberarConductor
) -> ComandoRevertirDisminuirStock:
    return ComandoRevertirDisminuirStock(
        id_producto=comando.id_producto,
        id_orden=comando.id_orden,
        cantidad=comando.cantidad,
        direccion_entrega=comando.direccion_entrega,
        motivo=asignacion.motivo or NO_CONDUCTOR,
        transaction_id=comando.transaction_id,
    )
