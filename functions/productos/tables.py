"""The tables of the databases `productos` and `productos_lectura`: load and save, many rows in one statement."""

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from functions.engine.batch import Store, added, changed
from functions.messages.ids import Id
from functions.postgres.arrays import columns
from functions.productos.decisions import Producto, Reserva

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
_INSERT: Final = sa.text(f"""
    insert into productos ({_COLUMNS})
    select * from unnest(
        cast(:id_producto as uuid[]), cast(:nombre as text[]), cast(:stock as int[]),
        cast(:fecha_creacion as timestamptz[]), cast(:fecha_actualizacion as timestamptz[]),
        cast(:eliminado as boolean[]), cast(:version as int[])) order by 1""")
# no "update ... from": the plan, made once, could be to look through all rows for those that change
_UPDATE: Final = sa.text(f"""{_INSERT.text}
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


def load(tx: sa.Connection, ids_producto: Sequence[Id]) -> dict[Id, Producto]:
    """The products that exist, locked."""
    rows = tx.execute(_LOAD, {"ids": ids_producto})
    return {producto.id_producto: producto for producto in (Producto(*row) for row in rows)}


def save(tx: sa.Connection, before: Mapping[Id, Producto], after: Mapping[Id, Producto]) -> None:
    """Writes the products that are new or have changed."""
    if inserts := added(before, after):
        tx.execute(_INSERT, columns(inserts, *_FIELDS))
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


PRODUCTOS: Final = Store("id_producto", load, save)
RESERVAS: Final = Store("id_orden", load_reservas, save_reservas)


def proyectar(tx: sa.Connection, productos: Sequence[Producto]) -> None:
    """Brings the read model up to these states; older ones and repeated ones change nothing."""
    tx.execute(_UPDATE, columns(productos, *_FIELDS))
