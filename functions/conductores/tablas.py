"""The tables of the database `conductores`: load and save, many rows in one statement."""

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from functions.comun.base_datos import columnas
from functions.comun.ids import Id
from functions.comun.lote import cambiados, nuevos
from functions.comun.mensajes import RegistrarConductor
from functions.conductores.dominio import Asignacion

_REGISTRAR: Final = sa.text("""
    insert into conductores (id_conductor, nombre)
    select distinct on (1) * from unnest(cast(:id_conductor as uuid[]), cast(:nombre as text[])) order by 1
    on conflict do nothing""")
_CARGAR: Final = sa.text("""
    select id_orden, id_conductor, direccion_entrega, estado, motivo from asignaciones
    where id_orden = any(cast(:ids as uuid[])) order by id_orden for update""")
# never "skip locked": a driver that another transaction only looks at would count as taken
_LIBRES: Final = sa.text("""
    select id_conductor from conductores where libre order by id_conductor limit :cuantos for update""")
_CAMPOS: Final = ("id_orden", "id_conductor", "direccion_entrega", "estado", "motivo")
_INSERTAR: Final = sa.text(f"""
    insert into asignaciones ({", ".join(_CAMPOS)})
    select * from unnest(cast(:id_orden as uuid[]), cast(:id_conductor as uuid[]), cast(:direccion_entrega as text[]),
                         cast(:estado as text[]), cast(:motivo as text[])) order by 1""")
# no "update ... from": the plan, made once, could be to look through all assignments for those that change
_LIBERAR: Final = sa.text(f"""{_INSERTAR.text}
    on conflict (id_orden) do update set id_conductor = excluded.id_conductor, estado = excluded.estado,
        motivo = excluded.motivo""")
_MARCAR: Final = sa.text("""
    update conductores set libre = :libre where id_conductor = any(cast(:ids as uuid[]))""")


def registrar(tx: sa.Connection, conductores: Sequence[RegistrarConductor]) -> None:
    """New drivers, free; those that exist stay as they are."""
    tx.execute(_REGISTRAR, columnas(conductores, "id_conductor", "nombre"))


def cargar(tx: sa.Connection, ids_orden: Sequence[Id]) -> dict[Id, Asignacion]:
    """The assignments of these orders that exist, locked."""
    filas = tx.execute(_CARGAR, {"ids": ids_orden})
    return {asignacion.id_orden: asignacion for asignacion in (Asignacion(*fila) for fila in filas)}


def libres(tx: sa.Connection, cuantos: int) -> list[Id]:
    """Free drivers, at most `cuantos`, locked."""
    return list(tx.execute(_LIBRES, {"cuantos": cuantos}).scalars())


def guardar(tx: sa.Connection, antes: Mapping[Id, Asignacion], despues: Mapping[Id, Asignacion]) -> None:
    """Saves the assignments that are new or were freed, and which drivers are free."""
    if nuevas := nuevos(antes, despues):
        valores = columnas(nuevas, *_CAMPOS)
        tx.execute(_INSERTAR, valores)
        tx.execute(_MARCAR, {"ids": valores["id_conductor"], "libre": False})
    if liberadas := cambiados(antes, despues):
        tx.execute(_LIBERAR, columnas(liberadas, *_CAMPOS))
        tx.execute(_MARCAR, {"ids": [antes[a.id_orden].id_conductor for a in liberadas], "libre": True})
