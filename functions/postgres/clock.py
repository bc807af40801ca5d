"""The time by the database's clock: one clock for a whole context, whatever those of the functions' hosts say."""

import time
from datetime import UTC, datetime
from typing import Any, Final

_OFFSET: Final = "clock_offset"
_READ: Final = "select cast(extract(epoch from clock_timestamp()) * 1000 as bigint)"


def start(connection: Any, record: Any) -> None:
    """Notes what the database's clock says, for `now`; for SQLAlchemy's event `connect`. Asking once for each
    connection saves a round trip for each transaction.
    """
    sent = _elapsed_ms()
    server_ms = connection.execute_simple(_READ).rows[0][0]
    record.info[_OFFSET] = server_ms - (sent + _elapsed_ms()) / 2


def now(tx: Any) -> datetime:
    """The time now by the clock of the transaction's database, in UTC and whole milliseconds as messages carry it.

    What has passed since the connection was made is measured here, by a clock that nobody sets.
    """
    ms = int(tx.info[_OFFSET] + _elapsed_ms())
    return datetime.fromtimestamp(ms / 1000, UTC)


def _elapsed_ms() -> float:
    """Milliseconds of a clock that is never set, and that does not stop while the machine sleeps."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) / 1e6
