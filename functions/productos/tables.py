"""The tables of the databases `productos` and `productos_lectura`: load and save, many rows in one statement."""

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from functions.engine.batch import Store, added, changed
from functions.messages.ids import Id
from functions.messages.payloads import EventoProducto
from functions.postgres.arrays import columns
from functions.productos.decisions import Reserva
from functions.productos.movimientos import Ajuste, Producto

_FIELDS: Final = (
    "id_producto",
    "nombre",
    "stock",
    "fecha_creacion",
    "fecha_actualizacion",
    "eliminado",
    "version",
)
_COLUMNS: Final = "id, nombre, stock, fecha_creacion, fecha_actualizacion, eliminado, version"
_RESERVA_FIELDS: Final = ("id_orden", "id_producto", "cantidad", "estado", "motivo", "transaction_id")

_LOAD: Final = sa.text(f"""
    select {_COLUMNS} from productos where id = any(cast(:ids as uuid[])) order by id for update""")
_ARRAYS: Final = """
        cast(:id_producto as uuid[]), cast(:nombre as text[]), cast(:stock as int[]),
        cast(:fecha_creacion as timestamptz[]), cast(:fecha_actualizacion as timestamptz[]),
        cast(:eliminado as boolean[]), cast(:version as int[])"""
_INSERT: Final = sa.text(f"""
    insert into productos ({_COLUMNS}, stock_inicial)
    select * from unnest({_ARRAYS}, cast(:stock_inicial as int[])) order by 1""")
# no "update ... from": the plan, made once, could be to look through all rows for those that change
_UPDATE: Final = sa.text(f"""
    insert into productos ({_COLUMNS})
    select * from unnest({_ARRAYS}) order by 1
    on conflict (id) do update set nombre = excluded.nombre, stock = excluded.stock,
        fecha_actualizacion = excluded.fecha_actualizacion, eliminado = excluded.eliminado, version = excluded.version
    where excluded.version > productos.version""")
_LOAD_RESERVAS: Final = sa.text(f"""
    select {", ".join(_RESERVA_FIELDS)} from reservas
    where id_orden = any(cast(:ids as uuid[])) order by id_orden for update""")
_INSERT_RESERVAS: Final = sa.text(f"""
    insert into reservas ({", ".join(_RESERVA_FIELDS)})
    select * from unnest(cast(:id_orden as uuid[]), cast(:id_producto as uuid[]), cast(:cantidad as int[]),
                         cast(:estado as text[]), cast(:motivo as text[]), cast(:transaction_id as uuid[]))
    order by 1""")
_UPDATE_RESERVAS: Final = sa.text(f"""{_INSERT_RESERVAS.text}
    on conflict (id_orden) do update set estado = excluded.estado, motivo = excluded.motivo""")

_AJUSTE_FIELDS: Final = ("id_ajuste", "id_producto", "cantidad", "motivo", "rechazado", "fecha")
_LOAD_AJUSTES: Final = sa.text(f"""
    select {", ".join(_AJUSTE_FIELDS)} from ajustes
    where id_ajuste = any(cast(:ids as uuid[])) order by id_ajuste for update""")
_INSERT_AJUSTES: Final = sa.text(f"""
    insert into ajustes ({", ".join(_AJUSTE_FIELDS)})
    select * from unnest(cast(:id_ajuste as uuid[]), cast(:id_producto as uuid[]), cast(:cantidad as int[]),
                         cast(:motivo as text[]), cast(:rechazado as boolean[]), cast(:fecha as timestamptz[]))
    order by 1""")
_MOVIMIENTO_FIELDS: Final = (
    *("version", "fecha", "causa", "id_orden", "id_ajuste", "cantidad", "stock", "motivo", "rechazado"),
)
_ADD_MOVIMIENTOS: Final = sa.text(f"""
    insert into movimientos (id_producto, {", ".join(_MOVIMIENTO_FIELDS)})
    select * from unnest(cast(:id_producto as uuid[]), cast(:version as int[]), cast(:fecha as timestamptz[]),
                         cast(:causa as text[]), cast(:id_orden as uuid[]), cast(:id_ajuste as uuid[]),
                         cast(:cantidad as int[]), cast(:stock as int[]), cast(:motivo as text[]),
                         cast(:rechazado as boolean[]))
    order by 1, 2 on conflict (id_producto, version) do nothing""")


def load(tx: sa.Connection, ids_producto: Sequence[Id]) -> dict[Id, Producto]:
    """The products that exist, locked."""
    rows = tx.execute(_LOAD, {"ids": ids_producto})
    return {producto.id_producto: producto for producto in (Producto(*row) for row in rows)}


def save(tx: sa.Connection, before: Mapping[Id, Producto], after: Mapping[Id, Producto]) -> None:
    """Writes the products that are new or have changed."""
    if inserts := added(before, after):
        tx.execute(_INSERT, columns(inserts, *_FIELDS) | {"stock_inicial": [producto.stock for producto in inserts]})
    if updates := changed(before, after):
        tx.execute(_UPDATE, columns(updates, *_FIELDS))


def load_reservas(tx: sa.Connection, ids_orden: Sequence[Id]) -> dict[Id, Reserva]:
    """The reservations of these orders that exist, locked."""
    rows = tx.execute(_LOAD_RESERVAS, {"ids": ids_orden})
    return {reserva.id_orden: reserva for reserva in (Reserva(*row) for row in rows)}


def save_reservas(tx: sa.Connection, before: Mapping[Id, Reserva], after: Mapping[Id, Reserva]) -> None:
    """Writes the reservations that are new or have changed."""
    if inserts := added(before, after):
        tx.execute(_INSERT_RESERVAS, columns(inserts, *_RESERVA_FIELDS))
    if updates := changed(before, after):
        tx.execute(_UPDATE_RESERVAS, columns(updates, *_RESERVA_FIELDS))


def load_ajustes(tx: sa.Connection, ids_ajuste: Sequence[Id]) -> dict[Id, Ajuste]:
    """Those of these adjustments that were made or refused, locked."""
    rows = tx.execute(_LOAD_AJUSTES, {"ids": ids_ajuste})
    return {ajuste.id_ajuste: ajuste for ajuste in (Ajuste(*row) for row in rows)}


def save_ajustes(tx: sa.Connection, before: Mapping[Id, Ajuste], after: Mapping[Id, Ajuste]) -> None:
    """Writes the adjustments that are new: none is ever changed."""
    if inserts := added(before, after):
        tx.execute(_INSERT_AJUSTES, columns(inserts, *_AJUSTE_FIELDS))


PRODUCTOS: Final = Store("id_producto", load, save)
RESERVAS: Final = Store("id_orden", load_reservas, save_reservas)
AJUSTES: Final = Store("id_ajuste", load_ajustes, save_ajustes)


def proyectar(tx: sa.Connection, productos: Sequence[Producto]) -> None:
    """Brings the read model up to these states; older ones and repeated ones change nothing."""
    tx.execute(_UPDATE, columns(productos, *_FIELDS))


def add_movimientos(tx: sa.Connection, eventos: Sequence[EventoProducto]) -> None:
    """Adds the movements that these events tell of to the read model; those that it has change nothing."""
    told = [(evento.id_producto, movimiento) for evento in eventos for movimiento in evento.movimientos or ()]
    if told:
        ids = {"id_producto": [id_producto for id_producto, _ in told]}
        tx.execute(_ADD_MOVIMIENTOS, ids | columns([movimiento for _, movimiento in told], *_MOVIMIENTO_FIELDS))
