"""Deletes receipts that are older than any message can be that comes again. Safe to run again, at any time.

A receipt tells a function that it has done a message already. It is needed for as long as that message may be
delivered again: until the function has acknowledged it, which takes milliseconds, or as long as an outage lasts.
Even without it nothing is done twice: an order, a reservation and an assignment are kept under the order's id.

Deletes in small transactions that follow the table's pages, and locks nothing but the rows it deletes; PostgreSQL's
autovacuum makes their space free for new receipts. Run it every day, for example from cron.

Environment: DB_HOSTNAME (127.0.0.1), DB_PORT (5432), DB_ADMIN_USERNAME (postgres), DB_ADMIN_PASSWORD, and for TLS
DB_SSLMODE and DB_SSLROOTCERT. DB_HOSTNAME may name several servers, separated by commas: the primary of them is used.
"""

from functions.program.run import run

if __name__ == "__main__":
    run("deployment.databases.prune")  # loads it under its own name, and never returns

import argparse
import sys
from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from deployment.databases.admin import MissingVariable, connect, server_address
from functions.postgres.servers import InvalidServers
from functions.postgres.tls import InvalidTls
from functions.program.run import saying_if_interrupted

DATABASES: Final = ("ordenes", "productos", "conductores")
DEFAULT_DAYS: Final = 7
"""How long receipts are kept, in days, unless told."""
PAGES_PER_TRANSACTION: Final = 1000
"""Pages of 8 KiB in one transaction."""

_PAGE_COUNT: Final = sa.text("select pg_relation_size('recibos') / current_setting('block_size')::int")
_EXPIRED_RECEIPTS: Final = """
    from recibos where ctid >= cast(:desde as tid) and ctid < cast(:hasta as tid)
    and fecha < now() - make_interval(days => :dias)"""
_COUNT: Final = sa.text(f"select count(*) {_EXPIRED_RECEIPTS}")
_DELETE: Final = sa.text(f"delete {_EXPIRED_RECEIPTS}")


def prune_receipts(engine: sa.Engine, days: int, dry_run: bool) -> Iterator[tuple[int, int]]:
    """Deletes, or only counts; after each transaction the share of the table that is done, in %, and how many."""
    with engine.connect() as connection:
        total = connection.execute(_PAGE_COUNT).scalar_one()
    for page in range(0, total, PAGES_PER_TRANSACTION):
        values = {"desde": f"({page},0)", "hasta": f"({page + PAGES_PER_TRANSACTION},0)", "dias": days}
        with engine.begin() as tx:
            result = tx.execute(_COUNT if dry_run else _DELETE, values)
            count = result.scalar_one() if dry_run else result.rowcount
        yield min(100, 100 * (page + PAGES_PER_TRANSACTION) // total), count


def _days(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: a whole number of days, at least 1")
    return int(text)


def main() -> None:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m deployment.databases.prune", description=__doc__, formatter_class=formatter
    )
    parser.add_argument(
        "--older-than", metavar="DAYS", type=_days, default=DEFAULT_DAYS, help=f"default: {DEFAULT_DAYS}"
    )
    parser.add_argument("--dry-run", action="store_true", help="only count")
    options = parser.parse_args()
    try:
        with saying_if_interrupted("interrupted: what is deleted is deleted; run it again for the rest"):
            _prune_all(options.older_than, options.dry_run)
    except (MissingVariable, InvalidServers, InvalidTls) as error:
        sys.exit(f"error: {error}")
    except SQLAlchemyError as error:
        sys.exit(f"error: PostgreSQL at {server_address()} refused: {error}")


def _prune_all(days: int, dry_run: bool) -> None:
    """Prunes one database after the other, and says how many receipts each has lost."""
    outcome = "would be deleted" if dry_run else "deleted"
    for database in DATABASES:
        total = 0
        for percent, count in prune_receipts(connect(database), days, dry_run):
            total += count
            print(
                f"database {database}: {percent} %, {total} receipts {outcome}", end="\r", file=sys.stderr, flush=True
            )
        print(f"database {database}: {total} receipts older than {days} days {outcome}", flush=True)
