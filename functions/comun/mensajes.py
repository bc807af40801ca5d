"""The published language: each topic's payload, as its schema in `schemas/` says (a test compares the two).

`topic` is "<namespace>/<topic>"; `clave` names the field that is the partition key, the aggregate's id.
Values that no order may have raise `ValueError`: such a message is quarantined, never processed.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Generic, Protocol, TypeVar
from uuid import UUID

ENTERO_MAXIMO = 2**31 - 1


class MensajeInvalido(Exception):
    """A message that can't be processed, now or later: unreadable, or about what can't be. Says why."""


class Datos(Protocol):
    """Any payload."""

    topic: ClassVar[str]
    clave: ClassVar[str]


D = TypeVar("D", bound=Datos, covariant=True)


@dataclass(frozen=True, slots=True)
class Mensaje(Generic[D]):
    """A message: its envelope's attributes that the code needs, and its payload.

    `ingestion` is in ms since 1970-01-01 UTC: when the request that began the chain came in.
    """

    id: UUID
    ingestion: int
    time: int
    data: D


def ahora() -> datetime:
    """Now, in UTC and whole milliseconds, as the wire carries it."""
    ms = time.time_ns() // 1_000_000
    return datetime.fromtimestamp(ms / 1000, UTC)


def exigir_cantidad(cantidad: int) -> None:
    """Units ordered: 1 … 2³¹-1. Less would make stock out of nothing."""
    if not 1 <= cantidad <= ENTERO_MAXIMO:
        raise ValueError(f"cantidad is {cantidad}: it must be from 1 to {ENTERO_MAXIMO}")


@dataclass(frozen=True, slots=True)
class CrearOrden:
    topic: ClassVar[str] = "ordenes/comando-crear-orden"
    clave: ClassVar[str] = "id_orden"
    id_orden: UUID
    id_producto: UUID
    user_id: str
    time_stamp: datetime
    cantidad: int
    direccion_entrega: str
    transaction_id: UUID

    def __post_init__(self) -> None:
        exigir_cantidad(self.cantidad)


@dataclass(frozen=True, slots=True)
class MarcarListoDespacho:
    topic: ClassVar[str] = "ordenes/comando-marcar-listo-despacho"
    clave: ClassVar[str] = "id_orden"
    id_orden: UUID
    id_conductor: UUID
    direccion_entrega: str
    transaction_id: UUID


@dataclass(frozen=True, slots=True)
class RevertirOrdenCreada:
    topic: ClassVar[str] = "ordenes/comando-revertir-orden-creada"
    clave: ClassVar[str] = "id_orden"
    id_producto: UUID
    id_orden: UUID
    motivo: str
    transaction_id: UUID


@dataclass(frozen=True, slots=True)
class EventoOrden:
    topic: ClassVar[str] = "ordenes/evento-orden"
    clave: ClassVar[str] = "id_orden"
    id_orden: UUID
    id_producto: UUID
    user_id: str
    time_stamp: datetime
    cantidad: int
    direccion_entrega: str
    estado: str
    id_driver: UUID | None
    motivo: str | None
    transaction_id: UUID
    version: int


@dataclass(frozen=True, slots=True)
class CrearProducto:
    topic: ClassVar[str] = "productos/comando-crear-producto"
    clave: ClassVar[str] = "id_producto"
    id_producto: UUID
    nombre: str
    stock: int

    def __post_init__(self) -> None:
        if not 0 <= self.stock <= ENTERO_MAXIMO:
            raise ValueError(f"stock is {self.stock}: it must be from 0 to {ENTERO_MAXIMO}")


@dataclass(frozen=True, slots=True)
class EliminarProducto:
    topic: ClassVar[str] = "productos/comando-eliminar-producto"
    clave: ClassVar[str] = "id_producto"
    id_producto: UUID


@dataclass(frozen=True, slots=True)
class DisminuirStock:
    topic: ClassVar[str] = "productos/comando-disminuir-stock"
    clave: ClassVar[str] = "id_producto"
    id_producto: UUID
    id_orden: UUID
    cantidad: int
    direccion_entrega: str
    transaction_id: UUID

    def __post_init__(self) -> None:
        exigir_cantidad(self.cantidad)


@dataclass(frozen=True, slots=True)
class RevertirDisminuirStock:
    topic: ClassVar[str] = "productos/comando-revertir-disminuir-stock"
    clave: ClassVar[str] = "id_producto"
    id_producto: UUID
    id_orden: UUID
    cantidad: int
    direccion_entrega: str
    motivo: str
    transaction_id: UUID


@dataclass(frozen=True, slots=True)
class EventoProducto:
    topic: ClassVar[str] = "productos/evento-producto"
    clave: ClassVar[str] = "id_producto"
    id_producto: UUID
    nombre: str
    stock: int
    fecha_creacion: datetime
    fecha_actualizacion: datetime
    eliminado: bool
    version: int


@dataclass(frozen=True, slots=True)
class RegistrarConductor:
    topic: ClassVar[str] = "conductores/comando-registrar-conductor"
    clave: ClassVar[str] = "id_conductor"
    id_conductor: UUID
    nombre: str | None


@dataclass(frozen=True, slots=True)
class AsignarConductor:
    topic: ClassVar[str] = "conductores/comando-asignar-conductor"
    clave: ClassVar[str] = "id_orden"
    id_producto: UUID
    id_orden: UUID
    cantidad: int
    direccion_entrega: str
    transaction_id: UUID

    def __post_init__(self) -> None:
        exigir_cantidad(self.cantidad)


TIPOS: dict[str, type[Datos]] = {
    tipo.topic: tipo
    for tipo in (
        CrearOrden,
        MarcarListoDespacho,
        RevertirOrdenCreada,
        EventoOrden,
        CrearProducto,
        EliminarProducto,
        DisminuirStock,
        RevertirDisminuirStock,
        EventoProducto,
        RegistrarConductor,
        AsignarConductor,
    )
}
