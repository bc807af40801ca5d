"""What every connection to PostgreSQL has, whoever opens it: a careful start, and settings that don't depend on the
server's.
"""

import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import pg8000
import sqlalchemy as sa
from pg8000 import core

from functions.postgres.errors import WRONG_PASSWORD, server_field, sqlstate
from functions.postgres.servers import Servers, servers_of, text

SETTINGS: Final = {
    "client_encoding": "UTF8",  # pg8000 and our own messages to the server
    "datestyle": "ISO, YMD",  # how times are read
    "timezone": "UTC",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    "array_nulls": "on",  # NULL in our arrays is no text
    "search_path": "public",  # where migrations create the tables
    "default_transaction_isolation": "read committed",  # what is locked is read as it is then
}
"""What the code relies on, whatever the server, the database or the role says. By SET: a pooler between refuses startup
parameters that it does not know.
"""
_SET: Final = "; ".join(f"set {name} = '{value}'" for name, value in SETTINGS.items())
PATIENCE: Final = 3
"""Seconds without a sign of life after which a server is given up: one of several, while a connection to it is opened;
later any, if its machine does not even confirm what was sent to it. How long a statement takes is another matter.
"""
_STATE: Final = "select pg_is_in_recovery(), current_setting('transaction_read_only') = 'on'"
"""Whether a server is a standby, and whether it is read-only for this role; asked together with what is set."""
_EXPOSING_METHODS: Final = {3: "cleartext", 5: "MD5"}
"""Ways to ask for a password, by their code in the protocol, whose answer is of use to an impostor."""


class Session(pg8000.Connection):  # type: ignore[misc]  # pg8000 is untyped
    """A connection that gives no password away: to a server that TLS has not verified it answers SCRAM only, from which
    an impostor learns nothing. The cleartext is the password; what MD5 wants opens the real server to whoever asks for
    it with that server's salt, and can be guessed at offline.
    """

    def handle_AUTHENTICATION_REQUEST(self, data: bytes, context: Any) -> None:
        """What pg8000 calls when the server asks for a password, or is content."""
        method = _EXPOSING_METHODS.get(core.i_unpack(data)[0])
        if method and not self._is_verified():
            raise pg8000.InterfaceError(
                f"the server asks for a {method} password, and gets none: it is not verified by TLS (DB_SSLMODE must be"
                " verify-ca or verify-full), or must ask for scram-sha-256 (pg_hba.conf, password_encryption)"
            )
        super().handle_AUTHENTICATION_REQUEST(data, context)

    def _is_verified(self) -> bool:
        return isinstance(self._usock, ssl.SSLSocket) and self._usock.context.verify_mode == ssl.CERT_REQUIRED


def open_as(session: type[Session], engine: sa.Engine, writes: bool = True) -> sa.Engine:
    """The engine itself, whose connections are of that class from now on; to be called before its first connection.

    Of several servers (`servers.url`) that one is connected to which is the primary, and not read-only if the
    connection is for writes. One server is taken as it is. The password may be several, one a line: the first that the
    server takes opens the connection. So a password is changed without a moment in which one side doesn't know it.
    Whatever goes wrong is an error of pg8000.
    """
    servers = servers_of(engine.url)

    def open_session(_dialect: Any, _record: Any, _positional: Any, arguments: Mapping[str, Any]) -> Session:
        if servers.are_several:
            return _open_primary(session, servers, arguments, writes)
        return _open(session, arguments, _SET)[0]

    sa.event.listen(engine, "do_connect", open_session)
    return engine


def _open_primary(session: type[Session], servers: Servers, arguments: Mapping[str, Any], writes: bool) -> Session:
    failures = []
    timeout = arguments["timeout"]
    for address in servers.in_order:
        host, port = address
        at_this_one = {**arguments, "host": host, "port": port, "timeout": min(timeout, PATIENCE)}
        try:
            opened, answer = _open(session, at_this_one, f"{_SET}; {_STATE}")
        except pg8000.Error as error:
            failures.append(f"{text([address])}: {server_field(error, 'M') or error}")
            continue
        is_standby, is_read_only = answer.rows[0]
        if not is_standby and not (writes and is_read_only):
            opened._usock.settimeout(timeout)
            servers.remember(address)
            return opened
        failures.append(f"{text([address])}: it is {'a standby' if is_standby else 'read-only'}")
        with suppress(pg8000.Error):
            opened.close()
    raise pg8000.InterfaceError(f"none of the servers is the primary now: {'; '.join(failures)}")


def _open(session: type[Session], arguments: Mapping[str, Any], first: str) -> tuple[Session, Any]:
    """A session on one server, and its answer to the first statements."""
    opened = None
    try:
        opened = _log_in(session, arguments)
        _notice_death(opened._usock)
        return opened, opened.execute_simple(first)
    except BaseException as error:
        if opened is not None:
            with suppress(pg8000.Error):
                opened.close()
        if isinstance(error, pg8000.Error) or not isinstance(error, Exception):
            raise
        address = text([(arguments["host"], arguments["port"])])  # of TLS or SCRAM, or at what is no PostgreSQL
        raise pg8000.InterfaceError(f"no connection to PostgreSQL at {address}: {error!r}") from error


def _notice_death(connected: socket.socket) -> None:
    """Has the kernel end the connection if the other machine is gone. pg8000 has switched on SO_KEEPALIVE."""
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000 * PATIENCE)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, PATIENCE)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)


def _log_in(session: type[Session], arguments: Mapping[str, Any]) -> Session:
    *others, last = passwords(arguments.get("password") or "")
    for password in others:
        try:
            return session(**{**arguments, "password": password})
        except pg8000.DatabaseError as error:
            if sqlstate(error) != WRONG_PASSWORD:
                raise
    return session(**{**arguments, "password": last})


def passwords(secret: str) -> list[str]:
    """The passwords in a secret, one a line: the first is the one that the role has, or is about to get."""
    return [line for line in secret.split("\n") if line] or [""]
