"""Errors of PostgreSQL, sorted by what helps: another message, a smaller batch, a new connection, or waiting."""

from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

MESSAGE_ERRORS: Final = ("21", "22", "23", "54", "P0")
"""SQLSTATE classes that the message causes and no retry fixes: cardinality, data, integrity, limits, raised."""
BATCH_ERRORS: Final = ("40001", "40P01", "55P03", "57014")
"""SQLSTATEs: serialization failure, deadlock, lock not available, statement cancelled by its timeout."""
PLAN_ERRORS: Final = ("0A000", "26000")
"""SQLSTATEs: the types of a prepared statement's columns have changed, no such prepared statement."""
TERMINATION_ERRORS: Final = ("57P01", "57P02", "57P05")
"""SQLSTATEs: the server, or an administrator, ends the connection."""


def is_transient(error: Exception) -> bool:
    """True if the database, not the message, is the cause: unavailable, full, locked, not migrated yet, …"""
    if not isinstance(error, DBAPIError):
        return isinstance(error, OSError | sa.exc.TimeoutError)
    return sqlstate(error.orig)[:2] not in MESSAGE_ERRORS


def is_batch_related(error: Exception) -> bool:
    """True if a smaller transaction may succeed: this one took too long, or was in the way of another one."""
    return isinstance(error, DBAPIError) and sqlstate(error.orig) in BATCH_ERRORS


def sqlstate(error: BaseException | None) -> str:
    """The SQLSTATE of the server's error message, "" if it has none."""
    return server_field(error, "C")


def server_field(error: BaseException | None, field: str) -> str:
    """A field of the server's error message, by its letter in PostgreSQL's protocol; "" if it is not there."""
    detail = error.args[0] if error is not None and error.args else None
    return str(detail.get(field, "")) if isinstance(detail, dict) else ""
