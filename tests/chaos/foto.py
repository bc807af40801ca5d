"""All that the databases and the broker hold, in one picture: what the invariants are about."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.chaos.entregas import estadisticas
from tests.plataforma import Plataforma

_ORDENES = "select id_orden, id_producto, cantidad, estado, id_driver, motivo, version from ordenes"
_PRODUCTOS = "select id, nombre, stock, eliminado, version, fecha_actualizacion from productos"
_RESERVAS = "select id_orden, id_producto, cantidad, estado from reservas"
_ASIGNACIONES = "select id_orden, id_conductor from asignaciones where estado = 'asignada'"


@dataclass(frozen=True, slots=True)
class Orden:
    id_producto: UUID
    cantidad: int
    estado: str
    id_driver: UUID | None
    motivo: str | None
    version: int


@dataclass(frozen=True, slots=True)
class Producto:
    nombre: str
    stock: int
    eliminado: bool
    version: int
    fecha_actualizacion: object


@dataclass(frozen=True, slots=True)
class Reserva:
    id_producto: UUID
    cantidad: int
    estado: str


@dataclass(frozen=True)
class Foto:
    """Not of one moment: the invariants hold once nothing changes any more."""

    ordenes: dict[UUID, Orden] = field(default_factory=dict)
    ordenes_lectura: dict[UUID, Orden] = field(default_factory=dict)
    productos: dict[UUID, Producto] = field(default_factory=dict)
    productos_lectura: dict[UUID, Producto] = field(default_factory=dict)
    reservas: dict[UUID, Reserva] = field(default_factory=dict)
    asignadas: dict[UUID, UUID] = field(default_factory=dict)
    """Assignments that hold a driver: order → driver."""
    conductores: dict[UUID, bool] = field(default_factory=dict)
    """Driver → free."""
    pasos: dict[UUID, Counter[str]] = field(default_factory=dict)
    """Order → how often its saga log holds each command."""
    suscripciones: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Topic → subscription → the broker's figures."""


@dataclass(frozen=True, slots=True)
class Prometido:
    """What customers were told."""

    ordenes: Collection[str] = ()
    """Answered 202."""
    conductores: Collection[str] = ()
    """Answered 202."""
    stock: Mapping[str, int] = field(default_factory=dict)
    """Of each product, at the beginning."""


def tomar(platform: Plataforma, con_broker: bool = True) -> Foto:
    def filas(base: str, consulta: str, tipo: Any) -> dict[UUID, Any]:
        return {clave: tipo(*campos) for clave, *campos in platform.sql(base, consulta)}

    pasos: dict[UUID, Counter[str]] = {}
    for id_orden, evento, cuantos in platform.sql(
        "saga", "select id_orden, evento, count(*) from sagalog group by 1, 2"
    ):
        pasos.setdefault(id_orden, Counter())[evento] = cuantos
    return Foto(
        ordenes=filas("ordenes", _ORDENES, Orden),
        ordenes_lectura=filas("ordenes_lectura", _ORDENES, Orden),
        productos=filas("productos", _PRODUCTOS, Producto),
        productos_lectura=filas("productos_lectura", _PRODUCTOS, Producto),
        reservas=filas("productos", _RESERVAS, Reserva),
        asignadas=filas("conductores", _ASIGNACIONES, lambda id_conductor: id_conductor),
        conductores=filas("conductores", "select id_conductor, libre from conductores", bool),
        pasos=pasos,
        suscripciones=estadisticas(platform) if con_broker else {},
    )
