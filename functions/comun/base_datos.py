"""PostgreSQL, for the engine: the connection, the receipts, and which errors pass by themselves."""

import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from functions.comun.codec import Publicacion, desempaquetar, empaquetar
from functions.comun.mensajes import Datos, Mensaje

# SQLSTATE classes that the message causes and a retry can't mend: cardinality, data, integrity, limits, raised
DEL_MENSAJE: Final = ("21", "22", "23", "54", "P0")
# serialization failure, deadlock, lock not available, statement cancelled by its time-out
DEL_LOTE: Final = ("40001", "40P01", "55P03", "57014")
PLAZO: Final = 60
"""Longest wait for an answer of the server, in s: longer than the roles' statement_timeout."""

_RECLAMAR: Final = sa.text("""
    insert into recibos (funcion, id_mensaje)
    select :funcion, id from unnest(cast(:ids as uuid[])) as u(id) order by id
    on conflict do nothing returning id_mensaje""")
_SALIDAS: Final = sa.text("""
    select id_mensaje, salidas from recibos where funcion = :funcion and id_mensaje = any(cast(:ids as uuid[]))""")
_ANOTAR: Final = sa.text("""
    update recibos set salidas = u.salidas
    from unnest(cast(:ids as uuid[]), cast(:salidas as bytea[])) as u(id, salidas)
    where funcion = :funcion and id_mensaje = u.id""")


def conectar(config: Mapping[str, Any], password: str, aplicacion: str) -> sa.Engine:
    """An engine with one connection, for one worker thread. `config` is the function's user-config."""
    url = sa.URL.create(
        "postgresql+pg8000",
        username=config.get("DB_USERNAME", config["DB_NAME"]),
        password=password,
        host=config["DB_HOSTNAME"],
        port=int(config.get("DB_PORT", 5432)),
        database=config["DB_NAME"],
    )
    argumentos = {"timeout": PLAZO, "application_name": aplicacion}
    motor = sa.create_engine(url, pool_size=1, max_overflow=0, connect_args=argumentos)
    sa.event.listen(motor, "connect", _preparar)
    cuidar(motor)
    return motor


def cuidar(motor: sa.Engine) -> None:
    """Drops each connection on which anything failed that the server did not answer.

    pg8000 stops in the middle of the protocol then, be it at a value that it can't write: the next statement would read
    what is left, the answer to this one.
    """
    sa.event.listen(motor, "handle_error", _soltar)


def _soltar(contexto: Any) -> None:
    if not isinstance(contexto.original_exception, contexto.dialect.loaded_dbapi.DatabaseError):
        contexto.is_disconnect, contexto.invalidate_pool_on_disconnect = True, False


def _preparar(conexion: Any, _registro: Any) -> None:
    """pg8000 leaves Nagle's algorithm on, so that the end of a big statement waits 40 ms for the server's ack, and
    looks at each character of a list.
    """
    conexion._usock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    conexion.register_out_adapter(list, arreglo)


def arreglo(valores: Sequence[Any]) -> str:
    """A PostgreSQL array of one dimension, as text."""
    return f"{{{','.join([_ELEMENTOS[type(valor)](valor) for valor in valores])}}}"


_ELEMENTOS: Final[dict[type, Callable[[Any], str]]] = {
    type(None): lambda _: "NULL",
    UUID: str,
    int: str,
    bool: str,
    str: lambda texto: '"' + texto.replace("\\", "\\\\").replace('"', '\\"') + '"',
    bytes: lambda crudo: f'"\\\\x{crudo.hex()}"',
    datetime: lambda momento: f'"{momento.isoformat()}"',
}


def reclamar(tx: sa.Connection, funcion: str, ids: Sequence[UUID]) -> set[UUID]:
    """Writes receipts; returns the ids that had none. Waits for whoever is at work on the others."""
    return set(tx.execute(_RECLAMAR, {"funcion": funcion, "ids": list(ids)}).scalars())


def salidas_de(tx: sa.Connection, funcion: str, repetidos: Mapping[UUID, Mensaje[Datos]]) -> list[Publicacion]:
    """What messages with a receipt led to, to be published again."""
    if not repetidos:
        return []
    filas = tx.execute(_SALIDAS, {"funcion": funcion, "ids": list(repetidos)})
    return [salida for causa, salidas in filas for salida in desempaquetar(bytes(salidas), repetidos[causa].traza)]


def anotar(tx: sa.Connection, funcion: str, salidas: Mapping[UUID, Sequence[Publicacion]]) -> None:
    """Puts into each receipt what its message leads to."""
    if salidas:
        crudas = [empaquetar(publicaciones) for publicaciones in salidas.values()]
        tx.execute(_ANOTAR, {"funcion": funcion, "ids": list(salidas), "salidas": crudas})


def columnas(filas: Sequence[object], *campos: str) -> dict[str, list[Any]]:
    """One list for each field, for `unnest`."""
    return {campo: [getattr(fila, campo) for fila in filas] for campo in campos}


def es_pasajero(error: Exception) -> bool:
    """True if the database, not the message, is the cause: away, full, locked, not migrated yet, …"""
    if not isinstance(error, DBAPIError):
        return isinstance(error, OSError | sa.exc.TimeoutError)
    return _sqlstate(error)[:2] not in DEL_MENSAJE


def es_del_lote(error: Exception) -> bool:
    """True if a smaller transaction may do: this one was too long, or in the way of another."""
    return isinstance(error, DBAPIError) and _sqlstate(error) in DEL_LOTE


def _sqlstate(error: DBAPIError) -> str:
    detalle = error.orig.args[0] if error.orig is not None and error.orig.args else None
    return str(detalle.get("C", "")) if isinstance(detalle, dict) else ""
