"""Deletes receipts that are older than any message can be that comes again. Safe to run again, at any time.

A receipt tells a function that it has done a message already. It is needed for as long as that message may be
delivered again: until the function has acknowledged it, which takes milliseconds, or as long as an outage lasts.
Even without it nothing is done twice: an order, a reservation and an assignment are kept under the order's id.

Deletes in small transactions that follow the table's pages, and locks nothing but the rows it deletes; PostgreSQL's
autovacuum makes their space free for new receipts. Run it every day, for example from cron.

Environment: DB_HOSTNAME (127.0.0.1), DB_PORT (5432), DB_ADMIN_USERNAME (postgres), DB_ADMIN_PASSWORD.
"""

import argparse
import sys
from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from deployment.databases.__main__ import conectar, donde

BASES: Final = ("ordenes", "productos", "conductores")
DIAS: Final = 7
"""How long receipts are kept, in days, unless told."""
PAGINAS: Final = 1000
"""Pages of 8 KiB in one transaction."""

_PAGINAS: Final = sa.text("select pg_relation_size('recibos') / current_setting('block_size')::int")
_VIEJOS: Final = """
    from recibos where ctid >= cast(:desde as tid) and ctid < cast(:hasta as tid)
    and fecha < now() - make_interval(days => :dias)"""
_CONTAR: Final = sa.text(f"select count(*) {_VIEJOS}")
_BORRAR: Final = sa.text(f"delete {_VIEJOS}")


def podar(motor: sa.Engine, dias: int, solo_contar: bool) -> Iterator[tuple[int, int]]:
    """Deletes, or only counts; after each transaction the share of the table that is done, in %, and how many."""
    with motor.connect() as conexion:
        total = conexion.execute(_PAGINAS).scalar_one()
    for pagina in range(0, total, PAGINAS):
        valores = {"desde": f"({pagina},0)", "hasta": f"({pagina + PAGINAS},0)", "dias": dias}
        with motor.begin() as tx:
            resultado = tx.execute(_CONTAR if solo_contar else _BORRAR, valores)
            cuantos = resultado.scalar_one() if solo_contar else resultado.rowcount
        yield min(100, 100 * (pagina + PAGINAS) // total), cuantos


def _dias(texto: str) -> int:
    if not texto.isdigit() or int(texto) < 1:
        raise argparse.ArgumentTypeError(f"{texto!r}: a whole number of days, at least 1")
    return int(texto)


def main() -> None:
    ayuda = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("python -m deployment.databases.prune", description=__doc__, formatter_class=ayuda)
    parser.add_argument("--older-than", metavar="DAYS", type=_dias, default=DIAS, help=f"default: {DIAS}")
    parser.add_argument("--dry-run", action="store_true", help="only count")
    opciones = parser.parse_args()
    hecho = "would be deleted" if opciones.dry_run else "deleted"
    try:
        for base in BASES:
            suma = 0
            for avance, cuantos in podar(conectar(base), opciones.older_than, opciones.dry_run):
                suma += cuantos
                print(f"database {base}: {avance} %, {suma} receipts {hecho}", end="\r", file=sys.stderr, flush=True)
            print(f"database {base}: {suma} receipts older than {opciones.older_than} days {hecho}", flush=True)
    except SQLAlchemyError as error:
        sys.exit(f"error: PostgreSQL at {donde()} refused: {error}")


if __name__ == "__main__":
    main()
