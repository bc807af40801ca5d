"""The connection to PostgreSQL: each statement is prepared once, and writes travel together with COMMIT."""

import secrets
import socket
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import pg8000
import sqlalchemy as sa
from pg8000 import core
from pg8000.converters import make_params
from pg8000.dbapi import convert_paramstyle

from functions.postgres import clock, servers, tls
from functions.postgres.arrays import to_array
from functions.postgres.errors import is_of_session
from functions.postgres.session import Session, open_as

TIMEOUT: Final = 60
"""Longest wait for an answer of the server, in seconds: longer than the roles' statement_timeout."""
MAX_AGE: Final = 300
"""Seconds after which a connection is made anew before its next use: so long the BFF reads at most from a server that
was the primary, and an old password or certificate is of use. A new connection takes some milliseconds.
"""
_BEGIN: Final = "begin transaction"
_ENDINGS: Final = ("commit", "rollback")
"""The statements that pg8000 ends a transaction with."""
_TIMESTAMPTZ: Final = 1184
_UUID: Final = 2950
"""The object ids of PostgreSQL's types."""


def connect(config: Mapping[str, Any], password: str, application: str) -> sa.Engine:
    """An SQLAlchemy engine with one connection, for one worker thread, which connects when it is first used.

    `config` is the function's userConfig: DB_NAME, and optionally DB_USERNAME (else DB_NAME), DB_HOSTNAME and DB_PORT
    (`servers`), DB_SSLMODE and DB_SSLROOTCERT (`tls`). `application` is the name that PostgreSQL shows for the
    connection. Raises InvalidServers, InvalidTls.
    """
    addresses = servers.addresses(config)
    url = servers.url(addresses, config.get("DB_USERNAME", config["DB_NAME"]), password, config["DB_NAME"])
    with_tls = tls.context(config, *servers.hostnames(addresses))
    arguments = {"timeout": TIMEOUT, "application_name": application, "ssl_context": with_tls}
    engine = sa.create_engine(url, pool_size=1, max_overflow=0, pool_recycle=MAX_AGE, connect_args=arguments)
    prepare(engine)
    sa.event.listen(engine, "connect", clock.start)  # of use to functions only, and it costs a round trip
    return engine


def prepare(engine: sa.Engine, writes: bool = True) -> sa.Engine:
    """The engine itself, from now on with the connections of this module; to be called before its first connection.
    `writes` is false for a role that only reads.

    A connection is dropped when something failed that the server did not answer, or that another connection may be
    spared. In the first case pg8000 stops in the middle of the protocol, even at a value that it can't write: the next
    statement would read what is left, the answer to this one.
    """
    open_as(_Connection, engine, writes)
    sa.event.listen(engine, "connect", _configure)
    sa.event.listen(engine, "handle_error", _discard_connection)
    return engine


class _Connection(Session):
    """A connection on which each statement is read by pg8000, and parsed by the server, once.

    A statement that returns no rows is kept back and sent together with the next one that does, or with COMMIT: each
    such group is one round trip instead of one for each statement. If one of a group fails, the transaction is undone,
    and the error is raised where the group is sent. How many rows such a statement wrote is not known.

    Names of prepared statements are this connection's own: behind a pooler that shares out the server's connections for
    each transaction, pg8000's names (numbers) would find what another client has prepared, and its rows be believed.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._keys: dict[str, str] = {}
        self._prepared_statements: dict[str, Any] = {}
        self._pending: list[bytes] = []
        self._prefix = secrets.token_hex(8)

    @property
    def _in_transaction(self) -> bool:
        """pg8000 asks this before each statement, and begins a transaction if it is false."""
        return bool(self._pending) or super()._in_transaction

    def cursor(self) -> "_Cursor":
        return _Cursor(self)

    def key(self, statement: str, values: Sequence[Any]) -> str:
        """A short name for a statement, prepared when first met. Short, because pg8000 looks for parameters in the text
        of a statement character by character, each time.
        """
        if statement not in self._keys:
            prepared = self._prepare(convert_paramstyle(pg8000.paramstyle, statement, values)[0])
            self._keys[statement] = key = str(len(self._keys))
            self._prepared_statements[key] = prepared
        return self._keys[statement]

    def execute_simple(self, statement: str) -> Any:
        """Runs a statement without parameters; BEGIN is kept back like a write."""
        if statement == _BEGIN:
            return self._enqueue(statement, self._prepared(statement)[0])
        if self._pending:
            self._send(core.Context(statement))
        return super().execute_simple(statement)

    def execute_unnamed(self, statement: str, vals: Any = (), oids: Any = (), stream: Any = None) -> Any:
        """Runs a statement by the name that `key` gave it; what returns no rows is kept back."""
        name, columns, readers = self._prepared(statement)
        context = self._enqueue(statement, name, make_params(self.py_types, vals))
        if columns or statement in _ENDINGS:
            context = self._send(core.Context(statement, columns=columns, input_funcs=readers))
        return context

    def commit(self) -> None:
        try:
            super().commit()
        except pg8000.DatabaseError:  # of a statement of the group; the transaction is over, as after any COMMIT
            self.rollback()
            raise

    def rollback(self) -> None:
        self._pending.clear()
        super().rollback()

    def _enqueue(self, statement: str, name: bytes, values: Sequence[str | None] = ()) -> Any:
        self._pending.append(_bind_and_execute(name, values))
        return core.Context(statement)

    def _send(self, context: Any) -> Any:
        """Sends all that is kept back. `context` takes the answer to the last statement: no other one returns rows."""
        request = b"".join([*self._pending, core.SYNC_MSG])
        self._pending.clear()
        core._write(self._sock, request)
        core._flush(self._sock)
        self.handle_messages(context)
        return context

    def _prepared(self, statement: str) -> Any:
        if statement not in self._prepared_statements:  # BEGIN, COMMIT, ROLLBACK: `key` has prepared the others
            self._prepared_statements[statement] = self._prepare(statement)
        return self._prepared_statements[statement]

    def _prepare(self, statement: str) -> tuple[bytes, Any, Any]:
        """The name on the server, the columns, and what reads them."""
        name = f"{self._prefix}_{len(self._prepared_statements)}".encode() + core.NULL_BYTE
        self.send_PARSE(name, statement)
        self.send_DESCRIBE_STATEMENT(name)
        core._write(self._sock, core.SYNC_MSG)
        core._flush(self._sock)
        context = core.Context(statement)
        self.handle_messages(context)
        return name, context.columns, context.input_funcs


def _bind_and_execute(name: bytes, values: Sequence[str | None]) -> bytes:
    """The messages Bind and Execute of PostgreSQL's protocol: parameters and rows as text, all rows."""
    texts = [None if value is None else value.encode() for value in values]
    lengths = [core.i_pack(-1) if text is None else core.i_pack(len(text)) + text for text in texts]
    body = b"".join([b"\0", name, core.H_pack(0), core.H_pack(len(lengths)), *lengths, core.H_pack(0)])
    return b"".join([core.BIND, core.i_pack(len(body) + 4), body, core.EXECUTE_MSG])


class _Cursor(pg8000.Cursor):  # type: ignore[misc]
    """Hands pg8000 the short name of a statement in place of its text."""

    def execute(self, operation: str, args: Any = (), stream: Any = None) -> Any:
        return super().execute(self._c.key(operation, args) if args else operation, args, stream)


def _discard_connection(context: Any) -> None:
    """Tells SQLAlchemy to drop the connection after an error that leaves it unusable; see `prepare`."""
    error = context.original_exception
    answered = isinstance(error, context.dialect.loaded_dbapi.DatabaseError)
    if not answered or (context.connection is not None and is_of_session(error)):
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False


def _configure(connection: Any, _record: Any) -> None:
    """Sets what pg8000 leaves slow: Nagle's algorithm, which has the end of a big statement wait 40 ms for the server's
    acknowledgement; lists, of which it looks at each character; times, which it reads with a regular expression.
    """
    connection._usock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.register_out_adapter(list, to_array)
    connection.register_in_adapter(_TIMESTAMPTZ, datetime.fromisoformat)
    connection.register_in_adapter(_UUID, str)
