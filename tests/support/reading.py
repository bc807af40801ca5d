"""The BFF's read models on a PostgreSQL of this machine."""

import sqlalchemy as sa

from bff.backends.read_models import ReadModels


def reading(
    port: int,
    password: str,
    *,
    saga: str = "saga",
    ordenes: str = "ordenes_lectura",
    productos: str = "productos_lectura",
    conductores: str = "conductores_lectura",
    threads: int = 1,
) -> ReadModels:
    """Read models of the databases with these names, with the role `bff`."""

    def url(database: str) -> sa.URL:
        return sa.URL.create("postgresql+pg8000", "bff", password, "127.0.0.1", port, database)

    return ReadModels(
        saga=url(saga),
        ordenes=url(ordenes),
        productos=url(productos),
        conductores=url(conductores),
        threads=threads,
    )
