"""The published language: each topic's payload, as its schema in `schemas/` says (a test compares the two).

`topic` is "<namespace>/<topic>"; `clave` names the field that is the partition key, the aggregate's id; `unico`
the field that the message's id comes from, if there is one such message for each of its values, whoever sends it.
Values that no order may have raise `ValueError`: such a message is quarantined, never processed.
A field that came with a later version of its schema has the schema's default: older messages don't say it.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import ClassVar, Final, Generic, TypeVar, dataclass_transform

from functions.comun.ids import Id
from functions.comun.inmutable import inmutable
from functions.comun.traza import Traza

ENTERO_MAXIMO: Final = 2**31 - 1


class MensajeInvalido(Exception):
    """A message that can't be processed, now or later: unreadable, or about what can't be. Says why."""


class Datos:
    """Any payload."""

    __slots__ = ()
    topic: ClassVar[str]
    clave: ClassVar[str]
    unico: ClassVar[str | None]


TIPOS: Final[dict[str, type[Datos]]] = {}
"""The payload of each topic."""


D = TypeVar("D", bound=Datos, covariant=True)
T = TypeVar("T", bound=Datos)


@dataclass_transform(frozen_default=True)
def datos(topic: str, clave: str, unico: str | None = None) -> Callable[[type[T]], type[T]]:
    """Makes a class the payload of a topic."""

    def registrar(clase: type[T]) -> type[T]:
        tipo = inmutable(clase)
        tipo.topic, tipo.clave, tipo.unico = topic, clave, unico
        TIPOS[topic] = tipo
        return tipo

    return registrar


@inmutable
class Mensaje(Generic[D]):
    """A message: its envelope's attributes that the code needs, and its payload.

    `ingestion` is in ms since 1970-01-01 UTC: when the request that began the chain came in. `traza`: the trace that
    the message belongs to, which its bytes don't say.
    """

    id: Id
    ingestion: int
    time: int
    data: D
    traza: Traza | None = None


def ahora() -> datetime:
    """Now, in UTC and whole milliseconds, as the wire carries it."""
    ms = time.time_ns() // 1_000_000
    return datetime.fromtimestamp(ms / 1000, UTC)


def exigir_cantidad(cantidad: int) -> None:
    """Units ordered: 1 … 2³¹-1. Less would make stock out of nothing."""
    if not 1 <= cantidad <= ENTERO_MAXIMO:
        raise ValueError(f"cantidad is {cantidad}: it must be from 1 to {ENTERO_MAXIMO}")


@datos("ordenes/comando-crear-orden", clave="id_orden")
class CrearOrden(Datos):
    id_orden: Id
    id_producto: Id
    user_id: str
    time_stamp: datetime
    cantidad: int
    direccion_entrega: str
    transaction_id: Id
    instrucciones_entrega: str | None = None

    def __post_init__(self) -> None:
        exigir_cantidad(self.cantidad)


@datos("ordenes/comando-marcar-listo-despacho", clave="id_orden")
class MarcarListoDespacho(Datos):
    id_orden: Id
    id_conductor: Id
    direccion_entrega: str
    transaction_id: Id
    instrucciones_entrega: str | None = None


@datos("ordenes/comando-revertir-orden-creada", clave="id_orden")
class RevertirOrdenCreada(Datos):
    id_producto: Id
    id_orden: Id
    motivo: str
    transaction_id: Id


@datos("ordenes/comando-verificar-orden", clave="id_orden")
class VerificarOrden(Datos):
    id_orden: Id
    intento: int
    transaction_id: Id
    otras: list[Id] | None = None

    @property
    def ordenes(self) -> list[Id]:
        """All that it is about."""
        return [self.id_orden, *(self.otras or ())]


@datos("ordenes/evento-orden", clave="id_orden")
class EventoOrden(Datos):
    id_orden: Id
    id_producto: Id
    user_id: str
    time_stamp: datetime
    cantidad: int
    direccion_entrega: str
    estado: str
    id_driver: Id | None
    motivo: str | None
    transaction_id: Id
    version: int
    instrucciones_entrega: str | None = None


@datos("productos/comando-crear-producto", clave="id_producto")
class CrearProducto(Datos):
    id_producto: Id
    nombre: str
    stock: int

    def __post_init__(self) -> None:
        if not 0 <= self.stock <= ENTERO_MAXIMO:
            raise ValueError(f"stock is {self.stock}: it must be from 0 to {ENTERO_MAXIMO}")


@datos("productos/comando-eliminar-producto", clave="id_producto")
class EliminarProducto(Datos):
    id_producto: Id


@datos("productos/comando-disminuir-stock", clave="id_producto", unico="id_orden")
class DisminuirStock(Datos):
    id_producto: Id
    id_orden: Id
    cantidad: int
    direccion_entrega: str
    transaction_id: Id
    instrucciones_entrega: str | None = None

    def __post_init__(self) -> None:
        exigir_cantidad(self.cantidad)


@datos("productos/comando-revertir-disminuir-stock", clave="id_producto")
class RevertirDisminuirStock(Datos):
    id_producto: Id
    id_orden: Id
    cantidad: int
    direccion_entrega: str
    motivo: str
    transaction_id: Id


@datos("productos/evento-producto", clave="id_producto")
class EventoProducto(Datos):
    id_producto: Id
    nombre: str
    stock: int
    fecha_creacion: datetime
    fecha_actualizacion: datetime
    eliminado: bool
    version: int


@datos("conductores/comando-registrar-conductor", clave="id_conductor")
class RegistrarConductor(Datos):
    id_conductor: Id
    nombre: str | None


@datos("conductores/comando-asignar-conductor", clave="id_orden")
class AsignarConductor(Datos):
    id_producto: Id
    id_orden: Id
    cantidad: int
    direccion_entrega: str
    transaction_id: Id
    instrucciones_entrega: str | None = None

    def __post_init__(self) -> None:
        exigir_cantidad(self.cantidad)


@datos("conductores/comando-liberar-conductor", clave="id_orden")
class LiberarConductor(Datos):
    id_producto: Id
    id_orden: Id
    cantidad: int
    direccion_entrega: str
    motivo: str
    transaction_id: Id


@datos("saga/evento-cuarentena", clave="funcion")
class EventoCuarentena(Datos):
    funcion: str
    origen: str
    id_mensaje: str
    accion: str
    motivo: str
    operador: str | None
    id_orden: Id | None
    transaction_id: Id | None
