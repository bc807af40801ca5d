"""What every connection to PostgreSQL has, whoever opens it: a careful start, and settings that don't depend on the
server's.
"""

import ssl
from collections.abc import Mapping
from typing import Any, Final

import pg8000
import sqlalchemy as sa
from pg8000 import core

from functions.postgres.errors import WRONG_PASSWORD, sqlstate

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


def open_as(session: type[Session], engine: sa.Engine) -> sa.Engine:
    """The engine itself, whose connections are of that class from now on; to be called before its first connection.

    The password may be several, one a line: the first that the server takes opens the connection. So a password is
    changed without a moment in which one side doesn't know it. Whatever goes wrong is an error of pg8000.
    """
    sa.event.listen(engine, "do_connect", lambda _dialect, _record, _positional, kwargs: _open(session, kwargs))
    return engine


def _open(session: type[Session], arguments: Mapping[str, Any]) -> Session:
    try:
        opened = _log_in(session, arguments)
    except pg8000.Error:
        raise
    except Exception as error:  # of TLS or SCRAM, or at what is no PostgreSQL
        address = f"{arguments['host']}:{arguments['port']}"
        raise pg8000.InterfaceError(f"no connection to PostgreSQL at {address}: {error!r}") from error
    try:
        opened.execute_simple(_SET)
    except BaseException:
        opened.close()
        raise
    return opened


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
