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

_CARGAR: Final = sa.text(f"""
    select {_COLUMNAS} from ordenes where id_orden = any(cast(:ids as uuid[])) order by id_orden for update""")
_INSERTAR: Final = sa.text(f"""
    insert into ordenes ({_COLUMNAS})
    select * from unnest(
        cast(:id_orden as uuid[]), cast(:id_producto as uuid[]), cast(:user_id as text[]),
        cast(:time_stamp as timestamptz[]), cast(:cantidad as int[]), cast(:direccion_entrega as text[]),
        cast(:estado as text[]), cast(:id_driver as uuid[]), cast(:motivo as text[]),
        cast(:transaction_id as uuid[]), cast(:version as int[]),
        cast(:instrucciones_entrega as text[])) order by 1""")
# no "update ... from": the plan, made once, could be to look through all orders for those that change
_ACTUALIZAR: Final = sa.text(f"""{_INSERTAR.text}
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
        tx.execute(_ACTUALIZAR, columnas(cambiadas, *_CAMPOS))


def proyectar(tx: sa.Connection, ordenes: Sequence[Orden]) -> None:
    """Brings the read model up to these states; older ones and repeated ones change nothing."""
    tx.execute(_ACTUALIZAR, columnas(ordenes, *_CAMPOS))
