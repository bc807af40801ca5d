"""The read models and the saga log: SELECTs on four databases, with a role that may do nothing else.

Longer than 200 lines: all that is read is one class, so that one fake stands for it.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from bff.backends import statements
from bff.bodies.pages import MAX_PAGE, Place
from bff.telemetry import metrics
from functions.cluster.connections import BFF_POOL_SIZE
from functions.messages.codec import values
from functions.messages.ids import Id
from functions.postgres.connection import MAX_AGE, prepare
from functions.postgres.errors import is_transient
from functions.postgres.tls import Tls

TIMEOUT: Final = 0.9
"""Seconds to connect, and for each answer. A query on a dead connection takes up to twice that: it is tried again."""

DATABASES: Final = ("saga", "ordenes", "productos", "conductores")
"""What is read: the saga log and the three read models."""
CONDUCTOR_STATES: Final = values("conductores/evento-conductor", "estado", within="conductores")
"""The states that a driver may be in."""
Row = dict[str, Any]
"""A row of a read model, by column."""

OrdenAndSteps = tuple[Row | None, Sequence[Row]]
"""An order, or None if there is none yet, and the steps of its saga."""


class DatabaseUnavailable(Exception):
    """A database does not answer, is too slow, or is not ready yet. To try again later makes sense."""


class ReadModels:
    """Reads what the functions have projected, from any thread.

    Connections are opened when needed and kept, few to each database: threads wait for one, at most TIMEOUT. Every
    method raises DatabaseUnavailable if a database does not answer. Read models lag behind the commands: what was
    accepted a moment ago may not be there yet.

    Parameters:
      saga, ordenes, productos, conductores: the databases of the saga log and of the three read models.
      threads: those that read at once. More than BFF_POOL_SIZE of them share that many connections to each database.
      tls: what the connections are opened with.
    """

    def __init__(
        self, *, saga: sa.URL, ordenes: sa.URL, productos: sa.URL, conductores: sa.URL, threads: int, tls: Tls = False
    ) -> None:
        self._saga = _engine(saga, threads, tls)
        self._ordenes = _engine(ordenes, threads, tls)
        self._productos = _engine(productos, threads, tls)
        self._conductores = _engine(conductores, threads, tls)

    def check(self, database: str) -> None:
        """Raises DatabaseUnavailable if this one of DATABASES does not answer."""
        engines = zip(DATABASES, (self._saga, self._ordenes, self._productos, self._conductores), strict=True)
        _rows(dict(engines)[database], "select 1")

    def ordenes(self, limit: int, filters: Mapping[str, Any], after: Place | None = None) -> list[Row]:
        """Up to `limit` orders, newest first, beginning after a place. A filter whose value is None does not count.

        There are fewer if their texts have more than MAX_PAGE bytes, but always more than fit into a page.
        """
        behind = "time_stamp <= :after_time and (time_stamp < :after_time or id_orden > :after_id)"
        condition, params = _condition(filters, after, behind)
        rows = f"{statements.ORDENES} where {condition}"
        return _page(
            self._ordenes, rows, statements.ORDEN, statements.ORDEN_TEXTS, "time_stamp desc, id_orden", limit, params
        )

    def orden(self, id_orden: Id) -> Row | None:
        """The order; None if there is none yet."""
        return self.these_ordenes([id_orden]).get(id_orden)

    def these_ordenes(self, ids: Sequence[Id]) -> dict[Id, Row]:
        """Those of these orders that there are, by their ids."""
        rows = _rows(self._ordenes, f"{statements.ORDENES} where id_orden = any(cast(:ids as uuid[]))", ids=list(ids))
        return {row["id_orden"]: row for row in rows}

    def open_ordenes(self) -> tuple[int, float]:
        """The number of orders that have not ended, and the age of the oldest in seconds; 0 if there are none, or if
        the clock of the BFF that took it is ahead of the database's.
        """
        return _waiting(_rows(self._ordenes, statements.OPEN_ORDENES))

    def dispatched_ordenes(self) -> tuple[int, float]:
        """The number of orders that are dispatched, and for how long the oldest has been so, in seconds; 0 as above."""
        return _waiting(_rows(self._ordenes, statements.DISPATCHED_ORDENES))

    def saga(self, id_orden: Id) -> list[Row]:
        """The steps of an order's saga by time; those of the same millisecond in their causal order."""
        return self.sagas([id_orden])[id_orden]

    def sagas(self, ids: Sequence[Id]) -> dict[Id, list[Row]]:
        """The same of each of these orders, by their ids."""
        steps: dict[Id, list[Row]] = {id_orden: [] for id_orden in ids}
        for row in _rows(self._saga, statements.SAGA, ids=list(ids)):
            steps[row.pop("id_orden")].append(row)
        return steps

    def ordenes_with_steps(self, ids: Sequence[Id]) -> dict[Id, OrdenAndSteps]:
        """Each of these orders, or None if there is none yet, with the steps of its saga, by the orders' ids."""
        ordenes, sagas = self.these_ordenes(ids), self.sagas(ids)
        return {id_orden: (ordenes.get(id_orden), sagas[id_orden]) for id_orden in ids}

    def productos(self, limit: int, after: Place | None = None) -> list[Row]:
        """Up to `limit` products, oldest first, beginning after a place; fewer, as of orders."""
        condition, params = _condition({}, after, "(fecha_creacion, id) > (:after_time, :after_id)")
        rows = f"{statements.PRODUCTOS} and {condition}"
        return _page(self._productos, rows, statements.PRODUCTO, ("nombre",), "fecha_creacion, id", limit, params)

    def producto(self, id_producto: Id) -> Row | None:
        """The product; None if there is none yet or it was deleted."""
        return self.these_productos([id_producto]).get(id_producto)

    def these_productos(self, ids: Sequence[Id]) -> dict[Id, Row]:
        """Those of these products that there are and were not deleted, by their ids."""
        rows = _rows(self._productos, f"{statements.PRODUCTOS} and id = any(cast(:ids as uuid[]))", ids=list(ids))
        return {row["id"]: row for row in rows}

    def created_producto(self, id_producto: Id) -> Row | None:
        """What a product, deleted or not, was created with; None if there was none. `nombre` is left out once anything
        has changed, and so is `stock` of products that are older than their movements.
        """
        rows = _rows(self._productos, statements.CREATED_PRODUCTO, id=id_producto)
        return {name: value for name, value in rows[0].items() if value is not None} if rows else None

    def movimientos(self, id_producto: Id, limit: int, before: int | None = None) -> list[Row]:
        """Up to `limit` movements of a product, deleted or not, newest first, those before a version; fewer, as of
        orders.
        """
        rows = f"{statements.MOVIMIENTOS} where id_producto = :id"
        params: dict[str, Any] = {"id": id_producto}
        if before is not None:
            rows += " and version < :before"
            params["before"] = before
        return _page(self._productos, rows, statements.MOVIMIENTO, ("motivo",), "version desc", limit, params)

    def ajuste(self, id_ajuste: Id) -> Row | None:
        """The movement of an adjustment, done or refused; None if there is none yet."""
        return self.these_ajustes([id_ajuste]).get(id_ajuste)

    def these_ajustes(self, ids: Sequence[Id]) -> dict[Id, Row]:
        """The movements of those of these adjustments that have one, by the adjustments' ids."""
        rows = _rows(
            self._productos, f"{statements.MOVIMIENTOS} where id_ajuste = any(cast(:ids as uuid[]))", ids=list(ids)
        )
        return {row["id_ajuste"]: row for row in rows}

    def conductores(self, limit: int, filters: Mapping[str, Any], after: Place | None = None) -> list[Row]:
        """Up to `limit` drivers, those first who have been longest in their state, beginning after a place; fewer, as
        of orders. A driver who changes takes a place further back: no page leaves one out.
        """
        condition, params = _condition(filters, after, "(desde, id_conductor) > (:after_time, :after_id)")
        rows = f"{statements.CONDUCTORES} where {condition}"
        order = "desde, id_conductor"
        return _page(self._conductores, rows, statements.CONDUCTOR, ("nombre",), order, limit, params)

    def conductor(self, id_conductor: Id) -> Row | None:
        """The driver; None if there is none yet."""
        return self.these_conductores([id_conductor]).get(id_conductor)

    def these_conductores(self, ids: Sequence[Id]) -> dict[Id, Row]:
        """Those of these drivers that there are, by their ids."""
        sql = f"{statements.CONDUCTORES} where id_conductor = any(cast(:ids as uuid[]))"
        return {row["id_conductor"]: row for row in _rows(self._conductores, sql, ids=list(ids))}

    def created_conductor(self, id_conductor: Id) -> Row | None:
        """What a driver was registered with, as far as that is known; None if there is none yet."""
        rows = _rows(self._conductores, statements.CREATED_CONDUCTOR, id=id_conductor)
        return (rows[0]["created"] or {}) if rows else None

    def count_conductores(self) -> dict[str, int]:
        """How many drivers are in each state."""
        found = {row["estado"]: row["drivers"] for row in _rows(self._conductores, statements.COUNT_CONDUCTORES)}
        return {estado: found.get(estado, 0) for estado in CONDUCTOR_STATES}


def _condition(filters: Mapping[str, Any], after: Place | None, behind: str) -> tuple[str, dict[str, Any]]:
    """The condition of a list's rows, with its parameters. Filters whose value is None don't count; `behind` is true of
    the rows after the place `after`.
    """
    params = {name: value for name, value in filters.items() if value is not None}
    conditions = ["true", *(statements.FILTERS[name] for name in params)]
    if after is not None:
        params |= {"after_time": after[0], "after_id": after[1]}
        conditions.append(behind)
    return " and ".join(conditions), params


def _waiting(rows: Sequence[Row]) -> tuple[int, float]:
    (row,) = rows
    return row["waiting_count"], float(row["oldest_age"])


def _engine(url: sa.URL, threads: int, tls: Tls) -> sa.Engine:
    engine = sa.create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=min(threads, BFF_POOL_SIZE),
        max_overflow=0,
        pool_timeout=TIMEOUT,
        pool_recycle=MAX_AGE,
        connect_args={"timeout": TIMEOUT, "application_name": "bff", "ssl_context": tls},
    )
    metrics.watch(engine)
    return prepare(engine, writes=False)


def _page(
    engine: sa.Engine,
    rows: str,
    columns: str,
    texts: Sequence[str],
    order: str,
    limit: int,
    parameters: Mapping[str, Any],
) -> list[Row]:
    size = " + ".join(f"coalesce(octet_length({column}), 0)" for column in texts)
    sql = statements.PAGE.format(columns=columns, size=size, order=order, rows=rows)
    return _rows(engine, sql, limit=limit, max_size=MAX_PAGE, **parameters)


def _rows(engine: sa.Engine, sql: str, **parameters: Any) -> list[Row]:
    started = time.monotonic()
    try:
        try:
            return _execute(engine, sql, parameters)
        except sa.exc.DBAPIError as error:
            if not error.connection_invalidated or time.monotonic() - started > TIMEOUT / 2:
                raise
            # a restart of the server is noticed only when a connection is used, and then all of the pool are dead
            engine.dispose()
            return _execute(engine, sql, parameters)
    except (sa.exc.SQLAlchemyError, OSError) as error:
        if is_transient(error):
            cause = getattr(error, "orig", None) or error
            raise DatabaseUnavailable(f"database {engine.url.database}: {cause!r}") from error
        raise


def _execute(engine: sa.Engine, sql: str, parameters: Mapping[str, Any]) -> list[Row]:
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(sa.text(sql), parameters).mappings()]
