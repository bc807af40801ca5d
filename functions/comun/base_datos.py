"""PostgreSQL, for the engine: the connection, the receipts, and which errors pass by themselves."""

import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import pg8000
import sqlalchemy as sa
from pg8000 import core
from pg8000.converters import make_params
from pg8000.dbapi import convert_paramstyle
from sqlalchemy.exc import DBAPIError

from functions.comun.codec import Publicacion, desempaquetar, empaquetar
from functions.comun.ids import Id
from functions.comun.mensajes import Datos, Mensaje

# SQLSTATE classes that the message causes and a retry can't mend: cardinality, data, integrity, limits, raised
DEL_MENSAJE: Final = ("21", "22", "23", "54", "P0")
# serialization failure, deadlock, lock not available, statement cancelled by its time-out
DEL_LOTE: Final = ("40001", "40P01", "55P03", "57014")
# not implemented (a prepared statement whose columns have got other types), no such prepared statement
DEL_PLAN: Final = ("0A000", "26000")
# the server, or an administrator, ends the connection
DE_DESPEDIDA: Final = ("57P01", "57P02", "57P05")
PLAZO: Final = 60
"""Longest wait for an answer of the server, in s: longer than the roles' statement_timeout."""

_EMPEZAR: Final = "begin transaction"
_FINALES: Final = ("commit", "rollback")
"""As pg8000 says them."""
_TIMESTAMPTZ: Final = 1184
_UUID: Final = 2950
"""The numbers of types."""

_BUSCAR: Final = sa.text("""
    select id_mensaje, salidas from recibos where funcion = :funcion and id_mensaje = any(cast(:ids as uuid[]))""")
_ANOTAR: Final = sa.text("""
    insert into recibos (funcion, id_mensaje, salidas)
    select :funcion, * from unnest(cast(:ids as uuid[]), cast(:salidas as bytea[])) order by 2""")


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
    return preparar(sa.create_engine(url, pool_size=1, max_overflow=0, connect_args=argumentos))


def preparar(motor: sa.Engine) -> sa.Engine:
    """The same, with prepared statements, and without what pg8000 leaves to be wished for; before its first connection.

    Drops each connection on which anything failed that the server did not answer, or whose statements are no good any
    more. pg8000 stops in the middle of the protocol in the first case, be it at a value that it can't write: the next
    statement would read what is left, the answer to this one.
    """
    sa.event.listen(motor, "do_connect", lambda _dialecto, _registro, _posicionales, dados: _Conexion(**dados))
    sa.event.listen(motor, "connect", _ajustar)
    sa.event.listen(motor, "handle_error", _soltar)
    return motor


class _Conexion(pg8000.Connection):  # type: ignore[misc]  # pg8000 is untyped
    """Has each statement read by pg8000, and parsed by the server, once. What has no rows to give is kept and goes with
    the next statement that has, or with COMMIT: each such group is one round trip. What fails in it undoes the
    transaction and is raised there. How many rows such a statement wrote is not known.
    """

    def __init__(self, **dados: Any) -> None:
        super().__init__(**dados)
        self._claves: dict[str, str] = {}
        self._preparadas: dict[str, Any] = {}
        self._por_enviar: list[bytes] = []

    @property
    def _in_transaction(self) -> bool:
        """pg8000 asks before each statement, and says BEGIN if it is false."""
        return bool(self._por_enviar) or super()._in_transaction

    def cursor(self) -> "_Cursor":
        return _Cursor(self)

    def clave(self, sentencia: str, valores: Sequence[Any]) -> str:
        """Short, because pg8000 looks for parameters character by character, each time."""
        if sentencia not in self._claves:
            preparada = self.prepare_statement(convert_paramstyle(pg8000.paramstyle, sentencia, valores)[0], ())
            self._claves[sentencia] = clave = str(len(self._claves))
            self._preparadas[clave] = preparada
        return self._claves[sentencia]

    def execute_simple(self, statement: str) -> Any:
        """A statement without parameters."""
        if statement == _EMPEZAR:
            return self._guardar(statement, self._preparada(statement)[0])
        if self._por_enviar:
            self._enviar(core.Context(statement))
        return super().execute_simple(statement)

    def execute_unnamed(self, statement: str, vals: Any = (), oids: Any = (), stream: Any = None) -> Any:
        nombre, columnas, lectores = self._preparada(statement)
        contexto = self._guardar(statement, nombre, make_params(self.py_types, vals))
        if columnas or statement in _FINALES:
            contexto = self._enviar(core.Context(statement, columns=columnas, input_funcs=lectores))
        return contexto

    def commit(self) -> None:
        try:
            super().commit()
        except pg8000.DatabaseError:  # of something on the way there; the transaction is over, as after any COMMIT
            self.rollback()
            raise

    def rollback(self) -> None:
        self._por_enviar.clear()
        super().rollback()

    def _guardar(self, sentencia: str, nombre: bytes, valores: Sequence[str | None] = ()) -> Any:
        self._por_enviar.append(_peticion(nombre, valores))
        return core.Context(sentencia)

    def _enviar(self, contexto: Any) -> Any:
        """`contexto` is for the answer to the last one: no other has rows."""
        peticion = b"".join([*self._por_enviar, core.SYNC_MSG])
        self._por_enviar.clear()
        core._write(self._sock, peticion)
        core._flush(self._sock)
        self.handle_messages(contexto)
        return contexto

    def _preparada(self, sentencia: str) -> Any:
        if sentencia not in self._preparadas:  # begin, commit, rollback
            self._preparadas[sentencia] = self.prepare_statement(sentencia, ())
        return self._preparadas[sentencia]


def _peticion(nombre: bytes, valores: Sequence[str | None]) -> bytes:
    """The protocol's messages Bind and Execute: parameters and rows as text, all rows."""
    textos = [None if valor is None else valor.encode() for valor in valores]
    largos = [core.i_pack(-1) if texto is None else core.i_pack(len(texto)) + texto for texto in textos]
    cuerpo = b"".join([b"\0", nombre, core.H_pack(0), core.H_pack(len(largos)), *largos, core.H_pack(0)])
    return b"".join([core.BIND, core.i_pack(len(cuerpo) + 4), cuerpo, core.EXECUTE_MSG])


class _Cursor(pg8000.Cursor):  # type: ignore[misc]
    def execute(self, operation: str, args: Any = (), stream: Any = None) -> Any:
        return super().execute(self._c.clave(operation, args) if args else operation, args, stream)


def _soltar(contexto: Any) -> None:
    error = contexto.original_exception
    contestado = isinstance(error, contexto.dialect.loaded_dbapi.DatabaseError)
    if not contestado or _sqlstate(error) in (*DEL_PLAN, *DE_DESPEDIDA):
        contexto.is_disconnect, contexto.invalidate_pool_on_disconnect = True, False


def _ajustar(conexion: Any, _registro: Any) -> None:
    """pg8000 leaves Nagle's algorithm on, so that the end of a big statement waits 40 ms for the server's ack; it looks
    at each character of a list, and reads times by a pattern.
    """
    conexion._usock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    conexion.register_out_adapter(list, arreglo)
    conexion.register_in_adapter(_TIMESTAMPTZ, datetime.fromisoformat)
    conexion.register_in_adapter(_UUID, str)


def arreglo(valores: Sequence[Any]) -> str:
    """A PostgreSQL array of one dimension, as text."""
    return f"{{{','.join([_ELEMENTOS[type(valor)](valor) for valor in valores])}}}"


_ELEMENTOS: Final[dict[type, Callable[[Any], str]]] = {
    type(None): lambda _: "NULL",
    int: str,
    bool: str,
    str: lambda texto: '"' + texto.replace("\\", "\\\\").replace('"', '\\"') + '"',
    bytes: lambda crudo: f'"\\\\x{crudo.hex()}"',
    datetime: lambda momento: f'"{momento.isoformat()}"',
}


def repetidas(tx: sa.Connection, funcion: str, mensajes: Mapping[Id, Mensaje[Datos]]) -> dict[Id, list[Publicacion]]:
    """Of the messages that have a receipt, what they led to, to be published again."""
    filas = tx.execute(_BUSCAR, {"funcion": funcion, "ids": list(mensajes)})
    return {causa: desempaquetar(bytes(salidas), mensajes[causa].traza) for causa, salidas in filas}


def anotar(tx: sa.Connection, funcion: str, salidas: Mapping[Id, Sequence[Publicacion]]) -> None:
    """Writes each message's receipt, with what it leads to. Waits for whoever is at work on the same message, an
    orphaned instance say; if it was done, COMMIT fails, see es_repetido().
    """
    crudas = [empaquetar(publicaciones) for publicaciones in salidas.values()]
    tx.execute(_ANOTAR, {"funcion": funcion, "ids": list(salidas), "salidas": crudas})


def columnas(filas: Sequence[object], *campos: str) -> dict[str, list[Any]]:
    """One list for each field, for `unnest`."""
    return {campo: [getattr(fila, campo) for fila in filas] for campo in campos}


def es_pasajero(error: Exception) -> bool:
    """True if the database, not the message, is the cause: away, full, locked, not migrated yet, …"""
    if not isinstance(error, DBAPIError):
        return isinstance(error, OSError | sa.exc.TimeoutError)
    return _sqlstate(error.orig)[:2] not in DEL_MENSAJE


def es_repetido(error: Exception) -> bool:
    """True if a message has a receipt already: the transaction would have done what was done."""
    return isinstance(error, DBAPIError) and _dicho(error.orig, "n") == "recibos_pkey"


def es_del_lote(error: Exception) -> bool:
    """True if a smaller transaction may do: this one was too long, or in the way of another."""
    return isinstance(error, DBAPIError) and _sqlstate(error.orig) in DEL_LOTE


def _sqlstate(error: BaseException | None) -> str:
    return _dicho(error, "C")


def _dicho(error: BaseException | None, campo: str) -> str:
    """A field of the server's message, by its letter in the protocol."""
    detalle = error.args[0] if error is not None and error.args else None
    return str(detalle.get(campo, "")) if isinstance(detalle, dict) else ""
