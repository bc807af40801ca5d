"""The read models and the saga log: SELECTs on three databases, with a role that can do nothing else."""

import time
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from bff import metricas
from bff.paginas import Lugar
from functions.comun.base_datos import es_pasajero, preparar
from functions.comun.ids import Id

PLAZO: Final = 0.9
"""For connecting, and for each answer, in s: a connection found dead and a new one that hangs take twice that."""

Fila = dict[str, Any]

_ORDENES: Final = """
    select id_orden, id_producto, user_id, time_stamp, cantidad, direccion_entrega, estado, id_driver, motivo,
           transaction_id, instrucciones_entrega
    from ordenes"""
_FILTROS: Final = {
    "estado": "estado = :estado",
    "user_id": "user_id = :user_id",
    "id_producto": "id_producto = :id_producto",
    "desde": "time_stamp >= :desde",
    "hasta": "time_stamp < :hasta",
}
_PRODUCTOS: Final = """
    select id, nombre, stock, fecha_creacion, fecha_actualizacion from productos where not eliminado"""
_ABIERTAS: Final = """
    select count(*) as cuantas, coalesce(extract(epoch from now() - min(time_stamp)), 0) as segundos
    from ordenes where estado = 'creada'"""
_SAGA: Final = """
    select transaction_id, time_stamp as timestamp, is_compensation, evento, contenido, id_mensaje from sagalog
    where id_orden = :id
    order by time_stamp, array_position(array[
        'comando-crear-orden', 'comando-disminuir-stock', 'comando-asignar-conductor', 'comando-marcar-listo-despacho',
        'comando-liberar-conductor', 'comando-revertir-disminuir-stock', 'comando-revertir-orden-creada'],
        evento), id_mensaje"""


class SinBaseDeDatos(Exception):
    """A database is away, too slow, or not ready."""


class Lecturas:
    """Connections are made when needed and kept, at most one for each thread and database."""

    def __init__(self, *, saga: sa.URL, ordenes: sa.URL, productos: sa.URL, hilos: int) -> None:
        self._saga, self._ordenes, self._productos = (_motor(url, hilos) for url in (saga, ordenes, productos))

    def comprobar(self) -> None:
        """Raises SinBaseDeDatos if one of them does not answer."""
        for motor in (self._ordenes, self._productos, self._saga):
            _filas(motor, "select 1")

    def ordenes(self, limite: int, filtros: Mapping[str, Any], despues: Lugar | None = None) -> list[Fila]:
        """The newest orders, newest first, that come after a place. `filtros`: None is no filter."""
        dichos = {nombre: valor for nombre, valor in filtros.items() if valor is not None}
        condiciones = ["true", *(_FILTROS[nombre] for nombre in dichos)]
        if despues is not None:
            dichos |= {"hora": despues[0], "id": despues[1]}
            condiciones.append("time_stamp <= :hora and (time_stamp < :hora or id_orden > :id)")
        sql = f"{_ORDENES} where {' and '.join(condiciones)} order by time_stamp desc, id_orden limit :limite"
        return _filas(self._ordenes, sql, limite=limite, **dichos)

    def orden(self, id_orden: Id) -> Fila | None:
        return next(iter(_filas(self._ordenes, f"{_ORDENES} where id_orden = :id", id=id_orden)), None)

    def abiertas(self) -> tuple[int, float]:
        """How many orders have not ended, and the age of the oldest in s."""
        (fila,) = _filas(self._ordenes, _ABIERTAS)
        return fila["cuantas"], float(fila["segundos"])

    def saga(self, id_orden: Id) -> list[Fila]:
        """The steps of an order's saga, by time; those of the same millisecond in their causal order."""
        return _filas(self._saga, _SAGA, id=id_orden)

    def productos(self, limite: int, despues: Lugar | None = None) -> list[Fila]:
        """The oldest products, oldest first, that come after a place."""
        hora, id_producto = despues or (None, None)
        sql = f"{_PRODUCTOS} {'' if despues is None else 'and (fecha_creacion, id) > (:hora, :id)'}"
        dichos = {} if despues is None else {"hora": hora, "id": id_producto}
        return _filas(self._productos, f"{sql} order by fecha_creacion, id limit :limite", limite=limite, **dichos)

    def producto(self, id_producto: Id) -> Fila | None:
        return next(iter(_filas(self._productos, f"{_PRODUCTOS} and id = :id", id=id_producto)), None)


def _motor(url: sa.URL, hilos: int) -> sa.Engine:
    motor = sa.create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=hilos,
        max_overflow=0,
        pool_timeout=PLAZO,
        connect_args={"timeout": PLAZO, "application_name": "bff"},
    )
    metricas.vigilar(motor)
    return preparar(motor)


def _filas(motor: sa.Engine, sql: str, **parametros: Any) -> list[Fila]:
    inicio = time.monotonic()
    try:
        try:
            return _leidas(motor, sql, parametros)
        except sa.exc.DBAPIError as error:
            if not error.connection_invalidated or time.monotonic() - inicio > PLAZO / 2:
                raise
            motor.dispose()  # all connections are as old: a restart of the server is found out when they are used
            return _leidas(motor, sql, parametros)
    except (sa.exc.SQLAlchemyError, OSError) as error:
        if es_pasajero(error):
            causa = getattr(error, "orig", None) or error
            raise SinBaseDeDatos(f"database {motor.url.database}: {causa!r}") from error
        raise


def _leidas(motor: sa.Engine, sql: str, parametros: Mapping[str, Any]) -> list[Fila]:
    with motor.connect() as conexion:
        return [dict(fila) for fila in conexion.execute(sa.text(sql), parametros).mappings()]
