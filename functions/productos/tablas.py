"""The tables of the databases `productos` and `productos_lectura`: load and save, many rows in one statement."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeVar

import sqlalchemy as sa

from functions.comun.base_datos import columnas
from functions.comun.ids import Id
from functions.comun.lote import Salidas, cambiados, ids, nuevos
from functions.comun.mensajes import DisminuirStock, Mensaje, RevertirDisminuirStock, ahora
from functions.productos.dominio import DecisionStock, Producto, Reserva, resumir

D = TypeVar("D", DisminuirStock, RevertirDisminuirStock)

_CAMPOS: Final = (
    "id_producto",
    "nombre",
    "stock",
    "fecha_creacion",
    "fecha_actualizacion",
    "eliminado",
    "version",
)
_COLUMNAS: Final = "id, nombre, stock, fecha_creacion, fecha_actualizacion, eliminado, version"
_CAMPOS_RESERVA: Final = ("id_orden", "id_producto", "cantidad", "estado", "motivo")

_CARGAR: Final = sa.text(f"""
    select {_COLUMNAS} from productos where id = any(cast(:ids as uuid[])) order by id for update""")
_INSERTAR: Final = sa.text(f"""
    insert into productos ({_COLUMNAS})
    select * from unnest(
        cast(:id_producto as uuid[]), cast(:nombre as text[]), cast(:stock as int[]),
        cast(:fecha_creacion as timestamptz[]), cast(:fecha_actualizacion as timestamptz[]),
        cast(:eliminado as boolean[]), cast(:version as int[])) order by 1""")
# no "update ... from": the plan, made once, could be to look through all rows for those that change
_ACTUALIZAR: Final = sa.text(f"""{_INSERTAR.text}
    on conflict (id) do update set nombre = excluded.nombre, stock = excluded.stock,
        fecha_actualizacion = excluded.fecha_actualizacion, eliminado = excluded.eliminado, version = excluded.version
    where excluded.version > productos.version""")
_CARGAR_RESERVAS: Final = sa.text("""
    select id_orden, id_producto, cantidad, estado, motivo from reservas
    where id_orden = any(cast(:ids as uuid[])) order by id_orden for update""")
_INSERTAR_RESERVAS: Final = sa.text("""
    insert into reservas (id_orden, id_producto, cantidad, estado, motivo)
    select * from unnest(cast(:id_orden as uuid[]), cast(:id_producto as uuid[]), cast(:cantidad as int[]),
                         cast(:estado as text[]), cast(:motivo as text[])) order by 1""")
_ACTUALIZAR_RESERVAS: Final = sa.text(f"""{_INSERTAR_RESERVAS.text}
    on conflict (id_orden) do update set estado = excluded.estado, motivo = excluded.motivo""")


def cargar(tx: sa.Connection, ids_producto: Sequence[Id]) -> dict[Id, Producto]:
    """The products that exist, locked."""
    filas = tx.execute(_CARGAR, {"ids": ids_producto})
    return {producto.id_producto: producto for producto in (Producto(*fila) for fila in filas)}


def guardar(tx: sa.Connection, antes: Mapping[Id, Producto], despues: Mapping[Id, Producto]) -> None:
    if creados := nuevos(antes, despues):
        tx.execute(_INSERTAR, columnas(creados, *_CAMPOS))
    if otros := cambiados(antes, despues):
        tx.execute(_ACTUALIZAR, columnas(otros, *_CAMPOS))


def cargar_reservas(tx: sa.Connection, ids_orden: Sequence[Id]) -> dict[Id, Reserva]:
    """The reservations of these orders that exist, locked."""
    filas = tx.execute(_CARGAR_RESERVAS, {"ids": ids_orden})
    return {reserva.id_orden: reserva for reserva in (Reserva(*fila) for fila in filas)}


def cambiar_stock(
    tx: sa.Connection,
    lote: Sequence[Mensaje[D]],
    decidir: Callable[..., DecisionStock],
    cargar_reservas: Callable[[sa.Connection, Sequence[Id]], dict[Id, Reserva]] = cargar_reservas,
) -> Salidas:
    """Load, decide, save for commands about the stock of a product and the reservation of an order."""
    antes, salidas, momento = cargar(tx, ids(lote, "id_producto")), [], ahora()
    reservadas = cargar_reservas(tx, ids(lote, "id_orden"))
    productos, reservas = dict(antes), dict(reservadas)
    for mensaje in lote:
        id_producto, id_orden = mensaje.data.id_producto, mensaje.data.id_orden
        producto, reservas[id_orden], publicar = decidir(
            productos.get(id_producto), reservas.get(id_orden), mensaje.data, momento
        )
        if producto is not None:
            productos[id_producto] = producto
        salidas.append(publicar)
    guardar(tx, antes, productos)
    _guardar_reservas(tx, reservadas, reservas)
    return resumir(salidas, productos)


def proyectar(tx: sa.Connection, productos: Sequence[Producto]) -> None:
    """Brings the read model up to these states; older ones and repeated ones change nothing."""
    tx.execute(_ACTUALIZAR, columnas(productos, *_CAMPOS))


def _guardar_reservas(tx: sa.Connection, antes: Mapping[Id, Reserva], despues: Mapping[Id, Reserva]) -> None:
    if creadas := nuevos(antes, despues):
        tx.execute(_INSERTAR_RESERVAS, columnas(creadas, *_CAMPOS_RESERVA))
    if otras := cambiados(antes, despues):
        tx.execute(_ACTUALIZAR_RESERVAS, columnas(otras, *_CAMPOS_RESERVA))
