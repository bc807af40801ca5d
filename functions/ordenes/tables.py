"""The tables of the databases `ordenes` and `ordenes_lectura`: load and save, many rows in one statement."""

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from functions.engine.batch import Store, added, changed
from functions.messages.ids import Id
from functions.messages.payloads import ComandoSuspenderPlazos
from functions.ordenes.states import Orden
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
    "creada_en",
    "iniciada_en",
    "despachada_en",
    "finalizada_en",
    "recibido_por",
)

_LOAD: Final = sa.text(f"""
    select {", ".join(_FIELDS)} from ordenes
    where id_orden = any(cast(:ids as uuid[])) order by id_orden for update""")
_ARRAYS: Final = """
        cast(:id_orden as uuid[]), cast(:id_producto as uuid[]), cast(:user_id as text[]),
        cast(:time_stamp as timestamptz[]), cast(:cantidad as int[]), cast(:direccion_entrega as text[]),
        cast(:estado as text[]), cast(:id_driver as uuid[]), cast(:motivo as text[]),
        cast(:transaction_id as uuid[]), cast(:version as int[]), cast(:instrucciones_entrega as text[]),
        cast(:creada_en as timestamptz[]), cast(:iniciada_en as timestamptz[]), cast(:despachada_en as timestamptz[]),
        cast(:finalizada_en as timestamptz[]), cast(:recibido_por as text[])"""
_INSERT: Final = sa.text(f"""
    insert into ordenes ({", ".join(_FIELDS)})
    select * from unnest({_ARRAYS}) order by 1""")
# no "update ... from": the plan, made once, could be to look through all orders for those that change
_ON_CONFLICT: Final = """
    on conflict (id_orden) do update set estado = excluded.estado, id_driver = excluded.id_driver,
        motivo = excluded.motivo, version = excluded.version, iniciada_en = excluded.iniciada_en,
        despachada_en = excluded.despachada_en, finalizada_en = excluded.finalizada_en,
        recibido_por = excluded.recibido_por
    where excluded.version > ordenes.version"""
_UPDATE: Final = sa.text(_INSERT.text + _ON_CONFLICT)
_ARE_SUSPENDED: Final = sa.text("""
    select suspendidos from plazos order by numero desc limit 1""")
_SUSPEND: Final = sa.text("""
    insert into plazos (suspendidos, operador, motivo)
    select * from unnest(cast(:suspendidos as boolean[]), cast(:operador as text[]), cast(:motivo as text[]))""")


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


def are_suspended(tx: sa.Connection) -> bool:
    """True while an operator has suspended the deadlines."""
    return bool(tx.execute(_ARE_SUSPENDED).scalar())


def suspend(tx: sa.Connection, comandos: Sequence[ComandoSuspenderPlazos]) -> None:
    """Adds what operators said about the deadlines, in this order: the last one counts."""
    tx.execute(_SUSPEND, columns(comandos, "suspendidos", "operador", "motivo"))
