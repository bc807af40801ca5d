"""The tables of `conductores` and `conductores_lectura`: load and save, many rows in one statement.

Longer than 200 lines: one context has one such module.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

import sqlalchemy as sa

from functions.conductores.decisions import ESPERANDO, Asignacion, Espera
from functions.conductores.states import ASIGNADO, LIBRE, RETIRADO, Changes, Libre
from functions.engine.batch import Store, added, changed
from functions.messages.ids import Id
from functions.messages.payloads import ComandoRegistrarConductor, Conductor
from functions.postgres.arrays import columns

_INSERT_CONDUCTORES: Final = sa.text("""
    insert into conductores (id_conductor, nombre, desde)
    select distinct on (1) * from unnest(cast(:id_conductor as uuid[]), cast(:nombre as text[]),
                                         cast(:desde as timestamptz[])) order by 1
    on conflict do nothing""")
# free drivers are locked in the same order as by whoever takes them: so there are no deadlocks
_LOAD_CONDUCTORES: Final = sa.text("""
    select id_conductor, nombre, libre, retirado, desde, version from conductores
    where id_conductor = any(cast(:ids as uuid[])) order by libre_desde, id_conductor for update""")
_ORDENES_AT_HAND: Final = sa.text("""
    select id_conductor, id_orden from asignaciones
    where id_conductor = any(cast(:ids as uuid[])) and estado = 'asignada'""")
_SAVE_CONDUCTORES: Final = sa.text("""
    insert into conductores (id_conductor, nombre, libre, retirado, desde, version)
    select * from unnest(cast(:id_conductor as uuid[]), cast(:nombre as text[]), cast(:libre as boolean[]),
                         cast(:retirado as boolean[]), cast(:desde as timestamptz[]), cast(:version as int[]))
    order by 1
    on conflict (id_conductor) do update set nombre = excluded.nombre, libre = excluded.libre,
        retirado = excluded.retirado, desde = excluded.desde, version = excluded.version""")
_LOAD: Final = sa.text("""
    select id_orden, id_conductor, direccion_entrega, estado, motivo, transaction_id from asignaciones
    where id_orden = any(cast(:ids as uuid[])) order by id_orden for update""")
# never "skip locked": a driver that another transaction only looks at would count as taken
_FREE_CONDUCTORES: Final = sa.text("""
    select id_conductor, nombre, version from conductores
    where libre order by libre_desde, id_conductor limit :count for update""")
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
    update conductores set libre = false, desde = :moment, version = version + 1
    where id_conductor = any(cast(:ids as uuid[]))""")
_FREE: Final = sa.text("""
    update conductores set libre = not retirado, libre_desde = now(), version = version + 1,
        desde = case when retirado then desde else :moment end
    where id_conductor = any(cast(:ids as uuid[])) returning id_conductor, nombre, libre, retirado, desde, version""")

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


def registrar(tx: sa.Connection, conductores: Sequence[ComandoRegistrarConductor], moment: datetime) -> None:
    """New drivers, free; those that exist stay as they are."""
    values = columns(conductores, "id_conductor", "nombre")
    tx.execute(_INSERT_CONDUCTORES, values | {"desde": [moment] * len(conductores)})


def load_conductores(tx: sa.Connection, ids: Sequence[Id]) -> dict[Id, Conductor]:
    """Those of these drivers that exist, locked."""
    rows = list(tx.execute(_LOAD_CONDUCTORES, {"ids": ids}))
    at_hand = {row[0]: row[1] for row in tx.execute(_ORDENES_AT_HAND, {"ids": ids})}
    return {row[0]: replace(_conductor(*row), id_orden=at_hand.get(row[0])) for row in rows}


def _conductor(
    id_conductor: Id,
    nombre: str | None,
    libre: bool,
    retirado: bool,
    desde: datetime,
    version: int,
) -> Conductor:
    estado = RETIRADO if retirado else LIBRE if libre else ASIGNADO
    return Conductor(id_conductor, nombre, estado, None, desde, version)


def _save_conductores(
    changes: Changes, tx: sa.Connection, before: Mapping[Id, Conductor], after: Mapping[Id, Conductor]
) -> None:
    rows = [*added(before, after), *changed(before, after)]
    if rows:
        values = columns(rows, "id_conductor", "nombre", "desde", "version")
        flags = {flag: [row.estado == flag for row in rows] for flag in (LIBRE, RETIRADO)}
        tx.execute(_SAVE_CONDUCTORES, values | flags)
        changes.put(rows)


def conductores(changes: Changes) -> Store[Conductor]:
    """The drivers; what is changed is noted in `changes`."""
    return Store("id_conductor", load_conductores, partial(_save_conductores, changes))


def load(tx: sa.Connection, ids_orden: Sequence[Id]) -> dict[Id, Asignacion]:
    """The assignments of these orders that exist, locked."""
    rows = tx.execute(_LOAD, {"ids": ids_orden})
    return {asignacion.id_orden: asignacion for asignacion in (Asignacion(*row) for row in rows)}


def libres(tx: sa.Connection, count: int) -> list[Libre]:
    """Free drivers, at most `count`, locked; those who have been free longest come first."""
    return [Libre(*row) for row in tx.execute(_FREE_CONDUCTORES, {"count": count})]


def save(changes: Changes, tx: sa.Connection, before: Mapping[Id, Asignacion], after: Mapping[Id, Asignacion]) -> None:
    """Saves the assignments that are new, were freed or completed, which drivers are free, and who no longer waits.
    Who was freed is noted in `changes`; who was taken, `changes` knows already.
    """
    if inserts := added(before, after):
        values = columns(inserts, *_FIELDS)
        tx.execute(_INSERT, values)
        tx.execute(_TAKE, {"ids": values["id_conductor"], "moment": changes.moment})
    if ended := changed(before, after):
        tx.execute(_UPDATE, columns(ended, *_FIELDS))
        if freed := [conductor for a in ended if (conductor := before[a.id_orden].id_conductor) is not None]:
            rows = tx.execute(_FREE, {"ids": freed, "moment": changes.moment})
            changes.put([_conductor(*row) for row in rows])
        if waited := [a.id_orden for a in ended if before[a.id_orden].estado == ESPERANDO]:
            tx.execute(_DELETE_ESPERAS, {"ids": waited})


def asignaciones(changes: Changes) -> Store[Asignacion]:
    """The assignments; which drivers their changes free is noted in `changes`."""
    return Store("id_orden", load, partial(save, changes))


def begin_waits(tx: sa.Connection, esperas: Sequence[Espera]) -> None:
    """Has these orders wait, in this order; their assignments say so."""
    tx.execute(_INSERT_ESPERAS, columns(esperas, *_ESPERA_FIELDS))


def esperas(tx: sa.Connection, count: int) -> list[Espera]:
    """The orders that wait, at most `count`; those that came first come first."""
    return [Espera(*row) for row in tx.execute(_ESPERAS, {"count": count})]


def esperas_over(tx: sa.Connection, moment: datetime, count: int) -> list[Espera]:
    """The orders whose wait is over at `moment`, at most `count`."""
    return [Espera(*row) for row in tx.execute(_ESPERAS_OVER, {"moment": moment, "count": count})]


def end_waits(tx: sa.Connection, asignaciones: Sequence[Asignacion], moment: datetime) -> None:
    """Saves what became of orders that waited, and which drivers are no longer free."""
    values = columns(asignaciones, *_FIELDS)
    tx.execute(_UPDATE, values)
    tx.execute(_TAKE, {"ids": values["id_conductor"], "moment": moment})
    tx.execute(_DELETE_ESPERAS, {"ids": values["id_orden"]})


_PROYECTAR: Final = sa.text("""
    insert into conductores (id_conductor, nombre, estado, id_orden, desde, version)
    select * from unnest(cast(:id_conductor as uuid[]), cast(:nombre as text[]), cast(:estado as text[]),
                         cast(:id_orden as uuid[]), cast(:desde as timestamptz[]), cast(:version as int[])) order by 1
    on conflict (id_conductor) do update set nombre = excluded.nombre, estado = excluded.estado,
        id_orden = excluded.id_orden, desde = excluded.desde, version = excluded.version
    where excluded.version > conductores.version""")


def proyectar(tx: sa.Connection, conductores: Sequence[Conductor]) -> None:
    """Brings the read model up to these states; older ones and repeated ones change nothing."""
    fields = ("id_conductor", "nombre", "estado", "id_orden", "desde", "version")
    tx.execute(_PROYECTAR, columns(conductores, *fields))
