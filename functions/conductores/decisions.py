"""Drivers and their assignments: the decisions about them. Pure.

An assignment is kept under its order's id and is `asignada`, `rechazada` or `liberada`: whoever asks for the same
order again, with whatever message, gets the same answer and changes nothing.
"""

from typing import Final

from functions.messages.frozen import frozen
from functions.messages.ids import Id
from functions.messages.payloads import (
    ComandoAsignarConductor,
    ComandoLiberarConductor,
    ComandoMarcarListoDespacho,
    ComandoRevertirDisminuirStock,
    Payload,
)

ASIGNADA: Final = "asignada"
RECHAZADA: Final = "rechazada"
LIBERADA: Final = "liberada"

NO_CONDUCTOR: Final = "sin conductor libre"


@frozen
class Asignacion:
    """The driver that delivers one order. `motivo` is why it has none."""

    id_orden: Id
    id_conductor: Id | None
    direccion_entrega: str
    estado: str
    motivo: str | None = None


Decision = tuple[Asignacion, list[Payload]]


def asignar(asignacion: Asignacion | None, libre: Id | None, comando: ComandoAsignarConductor) -> Decision:
    """Gives a new order the driver `libre`; or refuses, if there is none, and the order is compensated."""
    if asignacion is None and libre is None:
        asignacion = Asignacion(comando.id_orden, None, comando.direccion_entrega, RECHAZADA, NO_CONDUCTOR)
    elif asignacion is None:
        asignacion = Asignacion(comando.id_orden, libre, comando.direccion_entrega, ASIGNADA)
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
    if asignacion is None or asignacion.estado == ASIGNADA:
        asignacion = Asignacion(comando.id_orden, None, comando.direccion_entrega, LIBERADA, comando.motivo)
    return asignacion, [_revertir(asignacion, comando)]


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
