"""The tables of the database `conductores`: load and save, many rows in one statement."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from functions.conductores.decisions import ESPERANDO, Asignacion, Espera
from functions.engine.batch import Store, added, changed
from functions.messages.ids import Id
from functions.messages.payloads import ComandoRegistrarConductor
from functions.postgres.arrays import columns

_INSERT_CONDUCTORES: Final = sa.text("""
    insert into conductores (id_conductor, nombre)
    select distinct on (1) * from unnest(cast(:id_conductor as uuid[]), cast(:nombre as text[])) order by 1
    on conflict do nothing""")
_LOAD: Final = sa.text("""
    select id_orden, id_conductor, direccion_entrega, estado, motivo, transaction_id from asignaciones
    where id_orden = any(cast(:ids as uuid[])) order by id_orden for update""")
# never "skip locked": a driver that another transaction only looks at would count as taken
_FREE_CONDUCTORES: Final = sa.text("""
    select id_conductor from conductores where libre order by libre_desde, id_conductor limit :count for update""")
_FIELDS: Final = ("id_orden", "id_conductor", "direccion_entrega", "estado", "motivo", "transaction_id")
_INSERT: Final = sa.text(f"""
    insert into asignaciones ({", ".join(_FIELDS)})
    select * from unnest(cast(:id_orden as uuid[]), cast(:id_conductor as uuid[]), cast(:direccion_entrega as text[]),
                         cast(:estado as text[]), cast(:motivo as text[]), cast(:transaction_id as uuid[]))
    order by 1""")
# no "update ... from": the plan, made once, could be to look through all assignments for those that change
_UPDATE: Final = sa.text(f"""{_INSERT.text}
    on conflict (id_orden) do update set id_conductor = excluded.id_conductor, estado = excluded.estado,
        motivo = excluded.motivo""")
_TAKE: Final = sa.text("""
    update conductores set libre = false where id_conductor = any(cast(:ids as uuid[]))""")
_FREE: Final = sa.text("""
    update conductores set libre = true, libre_desde = now() where id_conductor = any(cast(:ids as uuid[]))""")

_LOCK: Final = sa.text("""
    select pg_advisory_xact_lock(cast(cast(cast('esperas' as regclass) as oid) as bigint))""")
_ESPERA_FIELDS: Final = (
    "id_orden",
    "id_producto",
    "cantidad",
    "direccion_entrega",
    "transaction_id",
    "instrucciones_entrega",
    "desde",
    "hasta",
)
_INSERT_ESPERAS: Final = sa.text(f"""
    insert into esperas ({", ".join(_ESPERA_FIELDS)})
    select * from unnest(cast(:id_orden as uuid[]), cast(:id_producto as uuid[]), cast(:cantidad as int[]),
                         cast(:direccion_entrega as text[]), cast(:transaction_id as uuid[]),
                         cast(:instrucciones_entrega as text[]), cast(:desde as timestamptz[]),
                         cast(:hasta as timestamptz[]))""")
_ESPERAS: Final = sa.text(f"""
    select {", ".join(_ESPERA_FIELDS)} from esperas order by turno limit :count""")
_ESPERAS_OVER: Final = sa.text(f"""
    select {", ".join(_ESPERA_FIELDS)} from esperas where hasta <= :moment order by turno limit :count""")
_DELETE_ESPERAS: Final = sa.text("""
    delete from esperas where id_orden = any(cast(:ids as uuid[]))""")


def lock(tx: sa.Connection) -> None:
    """Waits until no other transaction has this lock, and holds it until the transaction ends. See `waiting`."""
    tx.execute(_LOCK)


def registrar(tx: sa.Connection, conductores: Sequence[ComandoRegistrarConductor]) -> None:
    """New drivers, free; those that exist stay as they are."""
    tx.execute(_INSERT_CONDUCTORES, columns(conductores, "id_conductor", "nombre"))


def load(tx: sa.Connection, ids_orden: Sequence[Id]) -> dict[Id, Asignacion]:
    """The assignments of these orders that exist, locked."""
    rows = tx.execute(_LOAD, {"ids": ids_orden})
    return {asignacion.id_orden: asignacion for asignacion in (Asignacion(*row) for row in rows)}


def libres(tx: sa.Connection, count: int) -> list[Id]:
    """Free drivers, at most `count`, locked; those who have been free longest come first."""
    return list(tx.execute(_FREE_CONDUCTORES, {"count": count}).scalars())


def save(tx: sa.Connection, before: Mapping[Id, Asignacion], after: Mapping[Id, Asignacion]) -> None:
    """Saves the assignments that are new, were freed or completed, which drivers are free, and who no longer waits."""
    if inserts := added(before, after):
        values = columns(inserts, *_FIELDS)
        tx.execute(_INSERT, values)
        tx.execute(_TAKE, {"ids": values["id_conductor"]})
    if ended := changed(before, after):
        tx.execute(_UPDATE, columns(ended, *_FIELDS))
        tx.execute(_FREE, {"ids": [before[a.id_orden].id_conductor for a in ended]})
        if waited := [a.id_orden for a in ended if before[a.id_orden].estado == ESPERANDO]:
            tx.execute(_DELETE_ESPERAS, {"ids": waited})


ASIGNACIONES: Final = Store("id_orden", load, save)


def begin_waits(tx: sa.Connection, esperas: Sequence[Espera]) -> None:
    """Has these orders wait, in this order; their assignments say so."""
    tx.execute(_INSERT_ESPERAS, columns(esperas, *_ESPERA_FIELDS))


def esperas(tx: sa.Connection, count: int) -> list[Espera]:
    """The orders that wait, at most `count`; those that came first come first."""
    return [Espera(*row) for row in tx.execute(_ESPERAS, {"count": count})]


def esperas_over(tx: sa.Connection, moment: datetime, count: int) -> list[Espera]:
    """The orders whose wait is over at `moment`, at most `count`."""
    return [Espera(*row) for row in tx.execute(_ESPERAS_OVER, {"moment": moment, "count": count})]


def end_waits(tx: sa.Connection, asignaciones: Sequence[Asignacion]) -> None:
    """Saves what became of orders that waited, and which drivers are no longer free."""
    values = columns(asignaciones, *_FIELDS)
    tx.execute(_UPDATE, values)
    tx.execute(_TAKE, {"ids": values["id_conductor"]})
    tx.execute(_DELETE_ESPERAS, {"ids": values["id_orden"]})
