"""The tables of the databases `ordenes` and `ordenes_lectura`: load and save, many rows in one statement."""

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from functions.engine.batch import Store, added, changed
from functions.messages.ids import Id
from functions.ordenes.decisions import Orden
from functions.postgres.arrays import columns

_FIELDS: Final = (
    "id_orden",
    "id_producto",
    "user_id",
    "time_stamp",
    "cantidad",
    "direccion_entrega",
    "estado",
    "id_driver",
    "motivo",
    "transaction_id",
    "version",
    "instrucciones_entrega",
)
_COLUMNS: Final = ", ".join(_FIELDS)

_LOAD: Final = sa.text(f"""
    select {_COLUMNS} from ordenes where id_orden = any(cast(:ids as uuid[])) order by id_orden for update""")
_INSERT: Final = sa.text(f"""
    insert into ordenes ({_COLUMNS})
    select * from unnest(
        cast(:id_orden as uuid[]), cast(:id_producto as uuid[]), cast(:user_id as text[]),
        cast(:time_stamp as timestamptz[]), cast(:cantidad as int[]), cast(:direccion_entrega as text[]),
        cast(:estado as text[]), cast(:id_driver as uuid[]), cast(:motivo as text[]),
        cast(:transaction_id as uuid[]), cast(:version as int[]),
        cast(:instrucciones_entrega as text[])) order by 1""")
# no "update ... from": the plan, made once, could be to look through all orders for those that change
_UPDATE: Final = sa.text(f"""{_INSERT.text}
    on conflict (id_orden) do update set estado = excluded.estado, id_driver = excluded.id_driver,
        motivo = excluded.motivo, version = excluded.version
    where excluded.version > ordenes.version""")


def load(tx: sa.Connection, ids: Sequence[Id]) -> dict[Id, Orden]:
    """The orders that exist, locked."""
    rows = tx.execute(_LOAD, {"ids": ids})
    return {orden.id_orden: orden for orden in (Orden(*row) for row in rows)}


def save(tx: sa.Connection, before: Mapping[Id, Orden], after: Mapping[Id, Orden]) -> None:
    """Writes the orders that are new or have changed."""
    if inserts := added(before, after):
        tx.execute(_INSERT, columns(inserts, *_FIELDS))
    if updates := changed(before, after):
        tx.execute(_UPDATE, columns(updates, *_FIELDS))


ORDENES: Final = Store("id_orden", load, save)


def proyectar(tx: sa.Connection, ordenes: Sequence[Orden]) -> None:
    """Brings the read model up to these states; older ones and repeated ones change nothing."""
    tx.execute(_UPDATE, columns(ordenes, *_FIELDS))
