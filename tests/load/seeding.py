"""What a measurement needs before its clock starts: products, drivers, connections; and what databases hold."""

from typing import Final

import sqlalchemy as sa

from deployment.databases.names import DATABASES
from tests.load import broker
from tests.support.platform import Platform, wait_for

PRODUCTOS: Final = 20
STOCK: Final = 10_000_000


def productos(platform: Platform) -> list[str]:
    """PRODUCTOS new ones with plenty of stock, which the read model shows."""
    ids = []
    for number in range(PRODUCTOS):
        body = {"nombre": f"Producto {number}", "stock": STOCK}
        status, response, _ = platform.request("POST", "/productos", body)
        assert status == 202, response
        ids.append(str(response["id"]))
    wait_for("the products", lambda: all(platform.request("GET", f"/productos/{i}")[0] == 200 for i in ids))
    return ids


def conductores(platform: Platform, count: int) -> None:
    """So many new free ones, straight into the table: their registration is not what is measured."""
    platform.sql(
        "conductores",
        "insert into conductores select uuidv7(), 'Ana' from generate_series(1, :count)",
        count=count,
    )
    vacuum_analyze(platform, "conductores")


def vacuum_analyze(platform: Platform, database: str) -> None:
    """What autovacuum would do soon, so that it doesn't while the clock runs."""
    with connection(platform, database) as opened:
        opened.execute(sa.text("vacuum analyze"))


def connection(platform: Platform, database: str) -> sa.Connection:
    """One to keep open, for many cheap questions."""
    return platform.engine(database).connect().execution_options(isolation_level="AUTOCOMMIT")


def stored_bytes(platform: Platform) -> dict[str, int]:
    """Bytes of each database, and of all topics."""
    sizes = {
        database: int(platform.sql(database, "select pg_database_size(current_database())")[0][0])
        for database in DATABASES
    }
    return sizes | {"pulsar": broker.stored_bytes(platform)}
