"""The tables of the databases `ordenes` and `ordenes_lectura`: load and save, many rows in one statement."""

from collections.abc import Mapping, Sequence
from typing import Final

import sqlalchemy as sa

from functions.comun.base_datos import columnas
from functions.comun.ids import Id
from functions.comun.lote import cambiados, nuevos
from functions.ordenes.dominio import Orden

_CAMPOS: Final = (
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
_COLUMNAS: Final = ", ".join(_CAMPOS)
_FILAS: Final = """
    select * from unnest(
        cast(:id_orden as uuid[]), cast(:id_producto as uuid[]), cast(:user_id as text[]),
        cast(:time_stamp as timestamptz[]), cast(:cantidad as int[]), cast(:direccion_entrega as text[]),
        cast(:estado as text[]), cast(:id_driver as uuid[]), cast(:motivo as text[]),
        cast(:transaction_id as uuid[]), cast(:version as int[]),
        cast(:instrucciones_entrega as text[]))"""

_CARGAR: Final = sa.text(f"""
    select {_COLUMNAS} from ordenes where id_orden = any(cast(:ids as uuid[])) order by id_orden for update""")
_INSERTAR: Final = sa.text(f"insert into ordenes ({_COLUMNAS}) {_FILAS} order by 1")
_ACTUALIZAR: Final = sa.text("""
    update ordenes set estado = u.estado, id_driver = u.id_driver, motivo = u.motivo, version = u.version
    from unnest(cast(:id_orden as uuid[]), cast(:estado as text[]), cast(:id_driver as uuid[]),
                cast(:motivo as text[]), cast(:version as int[])) as u(id, estado, id_driver, motivo, version)
    where id_orden = u.id""")
_PROYECTAR: Final = sa.text(f"""
    insert into ordenes ({_COLUMNAS}) {_FILAS} order by 1
    on conflict (id_orden) do update set estado = excluded.estado, id_driver = excluded.id_driver,
        motivo = excluded.motivo, version = excluded.version
    where excluded.version > ordenes.version""")


def cargar(tx: sa.Connection, ids: Sequence[Id]) -> dict[Id, Orden]:
    """The orders that exist, locked."""
    filas = tx.execute(_CARGAR, {"ids": ids})
    return {orden.id_orden: orden for orden in (Orden(*fila) for fila in filas)}


def guardar(tx: sa.Connection, antes: Mapping[Id, Orden], despues: Mapping[Id, Orden]) -> None:
    if nuevas := nuevos(antes, despues):
        tx.execute(_INSERTAR, columnas(nuevas, *_CAMPOS))
    if cambiadas := cambiados(antes, despues):
        tx.execute(_ACTUALIZAR, columnas(cambiadas, "id_orden", "estado", "id_driver", "motivo", "version"))


def proyectar(tx: sa.Connection, ordenes: Sequence[Orden]) -> None:
    """Brings the read model up to these states; older ones and repeated ones change nothing."""
    tx.execute(_PROYECTAR, columnas(ordenes, *_CAMPOS))
