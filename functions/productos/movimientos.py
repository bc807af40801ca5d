"""The changes of a product's stock: each is a new version of the product, and told with its cause. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from functions.messages.frozen import frozen
from functions.messages.ids import Id
from functions.messages.payloads import EventoProducto, Movimiento, Payload

CREACION: Final = "creacion"
RESERVA: Final = "reserva"
REVERSION: Final = "reversion"
AJUSTE: Final = "ajuste"

MAX_SIZE: Final = 48 * 1024
"""Bytes of the movements in one event, at most: nobody takes a message of more than codec.MAX_BYTES."""
SIZE: Final = 80
"""Bytes of one movement in Avro, at most, beside its `motivo`."""

Producto = EventoProducto
"""A product's whole state, as its domain event carries it, with the movement that led to it; as its table has it,
without: what is stored says nothing of how it came about.
"""


@frozen
class Ajuste:
    """A change of the stock by hand, which was made at `fecha`, or, `rechazado`, refused."""

    id_ajuste: Id
    id_producto: Id
    cantidad: int
    motivo: str
    rechazado: bool
    fecha: datetime


def created(id_producto: Id, nombre: str, stock: int, now: datetime) -> Producto:
    """A new product, whose initial stock is its first movement."""
    first = Movimiento(1, now, CREACION, None, None, stock, stock, None, False)
    return Producto(id_producto, nombre, stock, now, now, False, 1, [first])


def moved(
    producto: Producto,
    now: datetime,
    causa: str,
    cantidad: int,
    *,
    id_orden: Id | None = None,
    id_ajuste: Id | None = None,
    motivo: str | None = None,
    rechazado: bool = False,
) -> Producto:
    """The product with another stock; with the same, if that was `rechazado`."""
    version = producto.version + 1
    stock = producto.stock if rechazado else producto.stock + cantidad
    movimiento = Movimiento(version, now, causa, id_orden, id_ajuste, cantidad, stock, motivo, rechazado)
    # not `replace`, which takes more than twice as long: there is one for each order
    return Producto(
        producto.id_producto,
        producto.nombre,
        stock,
        producto.fecha_creacion,
        now,
        producto.eliminado,
        version,
        [movimiento],
    )


def updated(producto: Producto, now: datetime, **changes: object) -> Producto:
    """The product after a change that leaves its stock alone."""
    version = producto.version + 1
    changes |= {"fecha_actualizacion": now, "version": version, "movimientos": None}
    return replace(producto, **changes)  # type: ignore[arg-type]


def gather(outputs: Sequence[Sequence[Payload]]) -> list[list[Payload]]:
    """The outputs of a batch with as few events as can be: a product's last one says what those before it said, and
    has their movements. There are more if the movements have more than MAX_SIZE bytes: then the last one of each part.
    """
    parts: dict[Id, list[_Part]] = {}
    for group in outputs:
        for output in group:
            if isinstance(output, EventoProducto):
                of_producto = parts.setdefault(output.id_producto, [])
                if not of_producto or not of_producto[-1].add(output):
                    of_producto.append(_Part(output))
    kept = {(part.last.id_producto, part.last.version): part.event() for all_of in parts.values() for part in all_of}
    return [[said for output in group if (said := _said(output, kept)) is not None] for group in outputs]


def _said(output: Payload, kept: Mapping[tuple[Id, int], EventoProducto]) -> Payload | None:
    """What is said in an output's place; None: nothing."""
    return kept.get((output.id_producto, output.version)) if isinstance(output, EventoProducto) else output


class _Part:
    """Events of one product, one after the other, that become one."""

    def __init__(self, first: EventoProducto) -> None:
        self.last = first
        self._movimientos: list[Movimiento] = []
        self._size = 0
        self._take(first)

    def add(self, following: EventoProducto) -> bool:
        """Takes the event, if its movements fit; False if not."""
        if self._size + _size(following) > MAX_SIZE:
            return False
        self._take(following)
        return True

    def event(self) -> EventoProducto:
        """The one event, which says what all of them said."""
        return replace(self.last, movimientos=self._movimientos or None)

    def _take(self, event: EventoProducto) -> None:
        self.last = event
        self._movimientos += event.movimientos or ()
        self._size += _size(event)


def _size(event: EventoProducto) -> int:
    """The bytes of the event's movements in Avro, at most."""
    return sum(SIZE + len((movimiento.motivo or "").encode()) for movimiento in event.movimientos or ())
