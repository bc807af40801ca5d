"""Watches orders come and end, without being in their way: a sample of them, and all only at the end."""

import time
from types import TracebackType
from typing import Any, Final

import sqlalchemy as sa

from tests.load import seeding
from tests.load.figures import log
from tests.support.platform import Platform

STEPS: Final = 4
"""Commands of a saga that goes well, in the saga log."""
SAMPLE_SIZE: Final = 100
PAUSE: Final = 0.05
SHORT_PAUSE: Final = 0.005
"""Between two looks, in s: at the sample, and where a moment must be known well."""
FIRST_ORDER_TIMEOUT: Final = 60
TIMEOUT: Final = 1200
"""For the first order, and for all, in s."""
PROGRESS_INTERVAL: Final = 2.0
"""A line of progress so often, in s."""
_EXISTS: Final = "select exists(select 1 from {table} where id_orden = any(cast(:ids as uuid[])))"
_COUNT_SAMPLED: Final = "select count(*) from {table} where id_orden = any(cast(:ids as uuid[]))"
_COUNT_INICIADAS: Final = """
    select count(*) from ordenes where id_producto = any(cast(:productos as uuid[])) and estado = 'iniciada'"""
_COUNT_LOGGED: Final = """
    select count(*) from unnest(cast(:ids as uuid[])) as u(id) join sagalog on id_orden = id
    where evento like 'comando-%'"""


class Watcher:
    """Of orders that do not exist yet."""

    def __init__(self, platform: Platform, ids: list[str], productos: list[str]) -> None:
        self.curve: list[tuple[float, float, float]] = []
        """Seconds since the first, and the parts that are iniciada and in the saga log."""
        self._ids, self._productos = ids, productos
        self._sample = [*ids[:: max(1, len(ids) // SAMPLE_SIZE)], ids[-1]]
        self._connections = {b: seeding.connection(platform, b) for b in ("ordenes", "ordenes_lectura", "saga")}
        self._first = 0.0

    def __enter__(self) -> "Watcher":
        return self

    def __exit__(
        self, exception_type: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        for connection in self._connections.values():
            connection.close()

    def first(self) -> float:
        """When one of the first is in a table."""
        first_ids, deadline = self._ids[:SAMPLE_SIZE], time.monotonic() + FIRST_ORDER_TIMEOUT
        tables = {"ordenes": "ordenes", "saga": "sagalog"}
        while not any(
            self._scalar(database, _EXISTS.format(table=table), ids=first_ids) for database, table in tables.items()
        ):
            assert time.monotonic() < deadline, f"no order within {FIRST_ORDER_TIMEOUT} s"
            time.sleep(SHORT_PAUSE)
        self._first = time.monotonic()
        return self._first

    def all_ended(self) -> float:
        """When all are iniciada in the read model, and their sagas whole."""
        self._follow()
        while True:
            moment = time.monotonic()
            iniciadas = self._scalar("ordenes_lectura", _COUNT_INICIADAS, productos=self._productos)
            if iniciadas == len(self._ids) and self._scalar("saga", _COUNT_LOGGED, ids=self._ids) == STEPS * len(
                self._ids
            ):
                return moment
            assert moment < self._first + TIMEOUT, f"{iniciadas} of {len(self._ids)} orders are iniciada"
            time.sleep(SHORT_PAUSE)

    def _follow(self) -> None:
        """Until the sample is complete."""
        count, line = len(set(self._sample)), PROGRESS_INTERVAL
        while not self.curve or min(self.curve[-1][1:]) < 1:
            sampled_query = _COUNT_SAMPLED.format(table="ordenes") + " and estado = 'iniciada'"
            iniciadas = self._scalar("ordenes_lectura", sampled_query, ids=self._sample)
            steps = self._scalar("saga", _COUNT_SAMPLED.format(table="sagalog"), ids=self._sample)
            elapsed = time.monotonic() - self._first
            self.curve.append((round(elapsed, 3), iniciadas / count, steps / count / STEPS))
            if elapsed > line:
                log(f"  {100 * iniciadas // count} % of the orders are iniciada")
                line = elapsed + PROGRESS_INTERVAL
            assert elapsed < TIMEOUT, f"after {TIMEOUT} s: {self.curve[-1]}"
            time.sleep(PAUSE)

    def _scalar(self, database: str, query: str, **parameters: Any) -> int:
        return int(self._connections[database].execute(sa.text(query), parameters).scalar_one())
