"""All that the databases and the broker hold, in one picture: what the invariants are about."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.chaos.deliveries import subscription_stats
from tests.support.platform import Platform

_ORDENES = """
    select id_orden, id_producto, cantidad, estado, id_driver, motivo, version, iniciada_en, despachada_en,
           finalizada_en, recibido_por from ordenes"""
_PRODUCTOS = "select id, nombre, stock, eliminado, version, fecha_actualizacion from productos"
_RESERVAS = "select id_orden, id_producto, cantidad, estado from reservas"
_INITIAL_STOCK = "select id, stock_inicial from productos where stock_inicial is not null"
_AJUSTES = "select id_ajuste, id_producto, cantidad, rechazado from ajustes"
_MOVIMIENTOS = """
    select id_producto, version, causa, id_orden, id_ajuste, cantidad, stock, rechazado from movimientos
    order by id_producto, version"""
_ASIGNACIONES = "select id_orden, id_conductor from asignaciones where estado = 'asignada'"
_ESPERAS = """
    select coalesce(e.id_orden, a.id_orden), e.id_orden is not null and a.id_orden is not null
    from esperas e full join (select id_orden from asignaciones where estado = 'esperando') a using (id_orden)"""

_CONDUCTORES = """
    select c.id_conductor, nombre, case when retirado then 'retirado' when libre then 'libre' else 'asignado' end,
           id_orden, desde, version
    from conductores c left join asignaciones a on a.id_conductor = c.id_conductor and a.estado = 'asignada'"""
_CONDUCTORES_LECTURA = "select id_conductor, nombre, estado, id_orden, desde, version from conductores"


@dataclass(frozen=True, slots=True)
class Orden:
    id_producto: UUID
    cantidad: int
    estado: str
    id_driver: UUID | None
    motivo: str | None
    version: int
    iniciada_en: object = None
    despachada_en: object = None
    finalizada_en: object = None
    recibido_por: str | None = None


@dataclass(frozen=True, slots=True)
class Producto:
    nombre: str
    stock: int
    eliminado: bool
    version: int
    fecha_actualizacion: object


@dataclass(frozen=True, slots=True)
class Conductor:
    nombre: str | None
    estado: str
    id_orden: UUID | None
    desde: object
    version: int


@dataclass(frozen=True, slots=True)
class Reserva:
    id_producto: UUID
    cantidad: int
    estado: str


@dataclass(frozen=True, slots=True)
class Ajuste:
    id_producto: UUID
    cantidad: int
    rechazado: bool


@dataclass(frozen=True, slots=True)
class Movimiento:
    version: int
    causa: str
    id_orden: UUID | None
    id_ajuste: UUID | None
    cantidad: int
    stock: int
    rechazado: bool


@dataclass(frozen=True)
class Snapshot:
    """Not of one moment: the invariants hold once nothing changes any more."""

    ordenes: dict[UUID, Orden] = field(default_factory=dict)
    ordenes_lectura: dict[UUID, Orden] = field(default_factory=dict)
    productos: dict[UUID, Producto] = field(default_factory=dict)
    productos_lectura: dict[UUID, Producto] = field(default_factory=dict)
    initial_stock: dict[UUID, int] = field(default_factory=dict)
    """Of the products whose movements are complete: those that older functions made are not here."""
    reservas: dict[UUID, Reserva] = field(default_factory=dict)
    ajustes: dict[UUID, Ajuste] = field(default_factory=dict)
    movimientos: dict[UUID, list[Movimiento]] = field(default_factory=dict)
    """Of each product, by their versions."""
    asignadas: dict[UUID, UUID] = field(default_factory=dict)
    """Assignments that hold a driver: order → driver."""
    esperas: dict[UUID, bool] = field(default_factory=dict)
    """Order that waits for a driver → both tables say so."""
    conductores: dict[UUID, bool] = field(default_factory=dict)
    """Driver → free."""
    estados: dict[UUID, Conductor] = field(default_factory=dict)
    """Driver → how it is."""
    estados_lectura: dict[UUID, Conductor] = field(default_factory=dict)
    steps: dict[UUID, Counter[str]] = field(default_factory=dict)
    """Order → how often its saga log holds each command."""
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Topic → subscription → the broker's figures."""


@dataclass(frozen=True, slots=True)
class Promised:
    """What customers were told."""

    ordenes: Collection[str] = ()
    """Answered 202."""
    conductores: Collection[str] = ()
    """Answered 202."""
    stock: Mapping[str, int] = field(default_factory=dict)
    """Of each product, at the beginning."""
    ajustes: Collection[str] = ()
    """Answered 202."""
    renamed: Collection[str] = ()
    """The products that may have got another name: versions without a movement."""


def take(platform: Platform, with_broker: bool = True) -> Snapshot:
    def rows(database: str, query: str, row_type: Any) -> dict[UUID, Any]:
        return {key: row_type(*fields) for key, *fields in platform.sql(database, query)}

    steps: dict[UUID, Counter[str]] = {}
    for id_orden, evento, count in platform.sql("saga", "select id_orden, evento, count(*) from sagalog group by 1, 2"):
        steps.setdefault(id_orden, Counter())[evento] = count
    movimientos: dict[UUID, list[Movimiento]] = {}
    for id_producto, *fields in platform.sql("productos_lectura", _MOVIMIENTOS):
        movimientos.setdefault(id_producto, []).append(Movimiento(*fields))
    return Snapshot(
        ordenes=rows("ordenes", _ORDENES, Orden),
        ordenes_lectura=rows("ordenes_lectura", _ORDENES, Orden),
        productos=rows("productos", _PRODUCTOS, Producto),
        productos_lectura=rows("productos_lectura", _PRODUCTOS, Producto),
        initial_stock=rows("productos", _INITIAL_STOCK, int),
        reservas=rows("productos", _RESERVAS, Reserva),
        ajustes=rows("productos", _AJUSTES, Ajuste),
        movimientos=movimientos,
        asignadas=rows("conductores", _ASIGNACIONES, lambda id_conductor: id_conductor),
        esperas=rows("conductores", _ESPERAS, bool),
        conductores=rows("conductores", "select id_conductor, libre from conductores", bool),
        estados=rows("conductores", _CONDUCTORES, Conductor),
        estados_lectura=rows("conductores_lectura", _CONDUCTORES_LECTURA, Conductor),
        steps=steps,
        subscriptions=subscription_stats(platform) if with_broker else {},
    )
