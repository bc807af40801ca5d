"""One run at a time makes databases and migrates them; another one waits, and says for whom."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from functions.postgres.errors import sqlstate

KEY: Final = 1_836_019_567
"""The advisory lock of this project on the server; any number below 2^31 that nobody else takes."""
LOCK_NOT_AVAILABLE: Final = "55P03"
_TRY: Final = sa.text(f"select pg_try_advisory_lock({KEY})")
_WAIT: Final = sa.text(f"select pg_advisory_lock({KEY})")
_HOLDER: Final = sa.text(f"""
    select format('the one of %s from %s since %s', usename, coalesce(host(client_addr), 'the server itself'),
                  to_char(backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
    from pg_locks join pg_stat_activity using (pid)
    where locktype = 'advisory' and (classid, objid, objsubid) = (0, {KEY}, 1) and granted
      and pg_locks.database = (select oid from pg_database where datname = current_database())""")


@contextmanager
def only_one(connection: sa.Connection) -> Iterator[None]:
    """Waits for other runs that are in such a block; ends, like the lock, with the connection.

    `connection`: to the database `postgres`, which exists everywhere, in AUTOCOMMIT.
    """
    if not connection.execute(_TRY).scalar_one():
        holder = connection.execute(_HOLDER).scalar()  # None if it has ended meanwhile
        print(f"another run makes the databases: waiting for {holder or 'it'} …", flush=True)
        _wait(connection)
    yield


def _wait(connection: sa.Connection) -> None:
    """The lock is asked for again before the driver takes the server's silence for its death."""
    connection.exec_driver_sql("set lock_timeout = '20s'")
    while True:
        try:
            connection.execute(_WAIT)
        except DBAPIError as error:
            if sqlstate(error.orig) != LOCK_NOT_AVAILABLE:
                raise
        else:
            break
    connection.exec_driver_sql("reset lock_timeout")
