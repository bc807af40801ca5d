"""Errors of PostgreSQL, sorted by what helps: another message, a smaller batch, a new connection, or waiting."""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

MESSAGE_ERRORS: Final = ("21", "22", "23", "54", "P0")
"""SQLSTATE classes that the message causes and no retry fixes: cardinality, data, integrity, limits, raised."""
BATCH_ERRORS: Final = ("40001", "40P01", "55P03", "57014")
"""SQLSTATEs: serialization failure, deadlock, lock not available, statement cancelled by its timeout."""
WRONG_PASSWORD: Final = "28P01"
"""The SQLSTATE of a login with another password than the role's."""


def is_transient(error: Exception) -> bool:
    """True if the database, not the message, is the cause: unavailable, full, locked, not migrated yet, …"""
    if not isinstance(error, DBAPIError):
        return isinstance(error, OSError | sa.exc.TimeoutError)
    return sqlstate(error.orig)[:2] not in MESSAGE_ERRORS


def is_batch_related(error: Exception) -> bool:
    """True if a smaller transaction may succeed: this one took too long, or was in the way of another one."""
    return isinstance(error, DBAPIError) and sqlstate(error.orig) in BATCH_ERRORS


def is_of_session(error: BaseException) -> bool:
    """True if another connection may be spared this error that the server answered: neither message nor batch is the
    cause. Such as: the server has become read-only (25006) or a standby, and the new primary is at the same address; it
    ends the connection (57P01); a prepared statement is gone (26000) or no longer fits its table (0A000); a pooler has
    lost its server (class 08).
    """
    state = sqlstate(error)
    return state[:2] not in MESSAGE_ERRORS and state not in BATCH_ERRORS


def sqlstate(error: BaseException | None) -> str:
    """The SQLSTATE of the server's error message, "" if it has none."""
    return server_field(error, "C")


def server_field(error: BaseException | None, field: str) -> str:
    """A field of the server's error message, by its letter in PostgreSQL's protocol; "" if it is not there."""
    detail = error.args[0] if error is not None and error.args else None
    return str(detail.get(field, "")) if isinstance(detail, dict) else ""
