"""What may become of drivers: the decisions about them. Pure.

A driver is `libre`, `asignado` while one order is at hand, or `retirado`: then the order at hand is the last one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from functions.messages.envelope import InvalidMessage
from functions.messages.frozen import frozen
from functions.messages.ids import Id
from functions.messages.payloads import (
    ComandoRenombrarConductor,
    ComandoRetirarConductor,
    Conductor,
    EventoConductor,
    Payload,
)

LIBRE: Final = "libre"
ASIGNADO: Final = "asignado"
RETIRADO: Final = "retirado"

MAX_CONDUCTORES: Final = 100
"""Drivers that one event tells of, at most."""
MAX_TEXT: Final = 40_000
"""Bytes of their names, at most: with all else, the event is a message that its readers take (codec.MAX_BYTES)."""


@frozen
class Libre:
    """A free driver, as far as whoever takes one needs to know."""

    id_conductor: Id
    nombre: str | None
    version: int


class Changes:
    """The drivers that one transaction changes at `moment`, each as it is after the last change."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment
        self._conductores: dict[Id, Conductor] = {}

    def take(self, libre: Libre, id_orden: Id) -> None:
        """The free driver has this order now."""
        version = libre.version + 1
        self.put([Conductor(libre.id_conductor, libre.nombre, ASIGNADO, id_orden, self.moment, version)])

    def put(self, conductores: Sequence[Conductor]) -> None:
        """The drivers are like this now."""
        self._conductores.update({conductor.id_conductor: conductor for conductor in conductores})

    def events(self) -> list[Payload]:
        """What tells of all of them."""
        return [EventoConductor(part[0].id_conductor, part) for part in _parts(list(self._conductores.values()))]


def _parts(conductores: Sequence[Conductor]) -> Iterator[list[Conductor]]:
    """The drivers, as many together as fit into one event."""
    part: list[Conductor] = []
    size = 0
    for conductor in conductores:
        needed = len((conductor.nombre or "").encode())
        if part and (len(part) == MAX_CONDUCTORES or size + needed > MAX_TEXT):
            yield part
            part, size = [], 0
        part.append(conductor)
        size += needed
    if part:
        yield part


def renombrar(conductor: Conductor | None, comando: ComandoRenombrarConductor) -> tuple[Conductor, list[Payload]]:
    """The driver has another name. Raises InvalidMessage if there is no such driver."""
    if conductor is None:
        raise InvalidMessage(f"id_conductor is {comando.id_conductor}: there is no such driver")
    if conductor.nombre == comando.nombre:
        return conductor, []
    return replace(conductor, nombre=comando.nombre, version=conductor.version + 1), []


def retirar(
    conductor: Conductor | None, comando: ComandoRetirarConductor, now: datetime
) -> tuple[Conductor, list[Payload]]:
    """The driver gets no more orders; the one at hand goes on. One that is not there is remembered, so that a
    registration that comes late changes nothing.
    """
    if conductor is None:
        return Conductor(comando.id_conductor, None, RETIRADO, None, now, 1), []
    if conductor.estado == RETIRADO:
        return conductor, []
    return replace(conductor, estado=RETIRADO, desde=now, version=conductor.version + 1), []
