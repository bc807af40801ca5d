"""Drivers and their assignments: the decisions about them. Pure.

An assignment is kept under its order's id and is `asignada` or `rechazada`: whoever asks for the same order
again, with whatever message, gets the same answer and changes nothing.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from functions.comun.mensajes import AsignarConductor, Datos, MarcarListoDespacho, RevertirDisminuirStock

ASIGNADA: Final = "asignada"
RECHAZADA: Final = "rechazada"

SIN_CONDUCTOR: Final = "sin conductor libre"


@dataclass(frozen=True, slots=True)
class Asignacion:
    """The driver that delivers one order; None if there was none."""

    id_orden: UUID
    id_conductor: UUID | None
    direccion_entrega: str

    @property
    def estado(self) -> str:
        return RECHAZADA if self.id_conductor is None else ASIGNADA


def asignar(
    asignacion: Asignacion | None, libre: UUID | None, comando: AsignarConductor
) -> tuple[Asignacion, list[Datos]]:
    """Gives a new order the driver `libre`; or refuses, if there is none, and the order is compensated."""
    if asignacion is None:
        asignacion = Asignacion(comando.id_orden, libre, comando.direccion_entrega)
    if asignacion.id_conductor is None:
        return asignacion, [_revertir(comando)]
    return asignacion, [
        MarcarListoDespacho(
            id_orden=comando.id_orden,
            id_conductor=asignacion.id_conductor,
            direccion_entrega=comando.direccion_entrega,
            transaction_id=comando.transaction_id,
        )
    ]


def _revertir(comando: AsignarConductor) -> RevertirDisminuirStock:
    return RevertirDisminuirStock(
        id_producto=comando.id_producto,
        id_orden=comando.id_orden,
        cantidad=comando.cantidad,
        direccion_entrega=comando.direccion_entrega,
        motivo=SIN_CONDUCTOR,
        transaction_id=comando.transaction_id,
    )
