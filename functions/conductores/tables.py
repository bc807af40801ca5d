"""The tables of the database `conductores`: load and save, many rows in one statement."""

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from functions.conductores.decisions import Asignacion
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
    """Saves the assignments that are new, were freed or completed, and which drivers are free."""
    if inserts := added(before, after):
        values = columns(inserts, *_FIELDS)
        tx.execute(_INSERT, values)
        tx.execute(_TAKE, {"ids": values["id_conductor"]})
    if ended := changed(before, after):
        tx.execute(_UPDATE, columns(ended, *_FIELDS))
        tx.execute(_FREE, {"ids": [before[a.id_orden].id_conductor for a in ended]})


ASIGNACIONES: Final = Store("id_orden", load, save)
