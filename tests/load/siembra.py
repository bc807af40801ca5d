"""What a measurement needs before its clock starts: products, drivers, connections; and what databases hold."""

from typing import Final

import sqlalchemy as sa

from tests.load import broker
from tests.plataforma import BASES, Plataforma, esperar

PRODUCTOS: Final = 20
STOCK: Final = 10_000_000


def productos(platform: Plataforma) -> list[str]:
    """PRODUCTOS new ones with plenty of stock, which the read model shows."""
    ids = []
    for numero in range(PRODUCTOS):
        cuerpo = {"nombre": f"Producto {numero}", "stock": STOCK}
        estado, respuesta, _ = platform.pedir("POST", "/productos", cuerpo)
        assert estado == 202, respuesta
        ids.append(str(respuesta["id"]))
    esperar("the products", lambda: all(platform.pedir("GET", f"/productos/{i}")[0] == 200 for i in ids))
    return ids


def conductores(platform: Plataforma, cuantos: int) -> None:
    """So many new free ones, straight into the table: their registration is not what is measured."""
    platform.sql(
        "conductores",
        "insert into conductores select uuidv7(), 'Ana' from generate_series(1, :cuantos)",
        cuantos=cuantos,
    )
    ordenar(platform, "conductores")


def ordenar(platform: Plataforma, base: str) -> None:
    """What autovacuum would do soon, so that it doesn't while the clock runs."""
    with conexion(platform, base) as abierta:
        abierta.execute(sa.text("vacuum analyze"))


def conexion(platform: Plataforma, base: str) -> sa.Connection:
    """One to keep open, for many cheap questions."""
    return platform.motor(base).connect().execution_options(isolation_level="AUTOCOMMIT")


def guardado(platform: Plataforma) -> dict[str, int]:
    """Bytes of each database, and of all topics."""
    tamanos = {base: int(platform.sql(base, "select pg_database_size(current_database())")[0][0]) for base in BASES}
    return tamanos | {"pulsar": broker.guardado(platform)}
