"""Tables in memory: rows by key, their constraints, and what undoes a transaction."""

from bisect import bisect_left, insort
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Final

import pg8000
import sqlalchemy as sa

Row = dict[str, Any]
Journal = list[tuple["Table", Any, Row | None]]
"""What was where before a transaction: table, key, row."""


class Table:
    """`key`: the columns of the primary key. `checks`: by name, what holds for each row. `defaults`: of the columns
    that an insert leaves out. Rows are never changed in place.
    """

    def __init__(
        self,
        name: str,
        *key: str,
        checks: Mapping[str, Callable[[Row], bool]] | None = None,
        defaults: Row | None = None,
    ) -> None:
        self.name, self.key = name, key
        self.rows: dict[Any, Row] = {}
        self.defaults = defaults or {}
        self._checks = checks or {}

    def write(self, key: Any, row: Row, journal: Journal) -> None:
        """Puts a row where its key says. Raises IntegrityError if it breaks a constraint."""
        for name, holds in self._checks.items():
            if not holds(row):
                raise refusal("23514", name)
        journal.append((self, key, self.rows.get(key)))
        self.put(key, row)

    def delete(self, key: Any, journal: Journal) -> None:
        """Deletes the row with that key."""
        journal.append((self, key, self.rows[key]))
        self.put(key, None)

    def put(self, key: Any, row: Row | None) -> None:
        """Writes without asking and without being undone; None deletes."""
        if row is None:
            del self.rows[key]
        else:
            self.rows[key] = row


class Conductores(Table):
    """The drivers, with an index of those that are free: since when, a number that grows, and the id, ascending."""

    def __init__(self) -> None:
        super().__init__("conductores", "id_conductor", defaults={"libre": True, "retirado": False, "version": 1})
        self.free: list[tuple[int, str]] = []
        self._moments = count()

    def write(self, key: Any, row: Row, journal: Journal) -> None:
        """A driver who is free from now on is the last one of them."""
        before = self.rows.get(key)
        if row["libre"] and not (before and before["libre"]):
            row = row | {"libre_desde": next(self._moments)}
        super().write(key, row, journal)

    def put(self, key: Any, row: Row | None) -> None:
        before = self.rows.get(key)
        super().put(key, row)
        if before and before["libre"]:
            del self.free[bisect_left(self.free, (before["libre_desde"], key))]
        if row is not None and row["libre"]:
            insort(self.free, (row["libre_desde"], key))


class Asignaciones(Table):
    """The assignments: no two hold the same driver. `holders`: the order that each driver has."""

    def __init__(self) -> None:
        super().__init__(
            "asignaciones",
            "id_orden",
            checks={
                "asignaciones_conductor_check": lambda row: _has_driver(row) == (row["id_conductor"] is not None),
                "asignaciones_motivo_check": lambda row: (
                    (_has_driver(row) or row["estado"] == "esperando") == (row["motivo"] is None)
                ),
            },
        )
        self.holders: dict[str, str] = {}

    def write(self, key: Any, row: Row, journal: Journal) -> None:
        if row["estado"] == "asignada" and self.holders.get(row["id_conductor"], key) != key:
            raise refusal("23505", "asignaciones_id_conductor_idx")
        super().write(key, row, journal)

    def put(self, key: Any, row: Row | None) -> None:
        before = self.rows.get(key)
        if before is not None and self.holders.get(before["id_conductor"]) == key:
            del self.holders[before["id_conductor"]]
        super().put(key, row)
        if row is not None and row["estado"] == "asignada":
            self.holders[row["id_conductor"]] = key


class Esperas(Table):
    """The orders that wait for a driver."""

    def __init__(self) -> None:
        super().__init__("esperas", "id_orden")
        self._turns = count()

    def next_turn(self) -> int:
        """A number that grows."""
        return next(self._turns)


def _has_driver(asignacion: Row) -> bool:
    return asignacion["estado"] in ("asignada", "completada")


def tables(database: str) -> dict[str, Table]:
    """The tables of one of the databases, empty."""
    return {table.name: table for table in _DATABASES[database]()}


def refusal(sqlstate: str, constraint: str) -> sa.exc.IntegrityError:
    """What SQLAlchemy raises if a constraint of that name is broken."""
    error = pg8000.DatabaseError({"C": sqlstate, "n": constraint, "M": f"breaks {constraint}"})
    return sa.exc.IntegrityError("in memory", {}, error)


def _ordenes() -> Table:
    checks: dict[str, Callable[[Row], bool]] = {
        "ordenes_driver_check": lambda row: (
            row["estado"] == "cancelada"
            or (row["estado"] in ("iniciada", "despachada", "entregada", "devuelta")) == (row["id_driver"] is not None)
        ),
        "ordenes_motivo_check": lambda row: (
            row["estado"] == "cancelada" or (row["estado"] in ("devuelta", "fallida")) == (row["motivo"] is not None)
        ),
    }
    return Table("ordenes", "id_orden", checks=checks)


def _productos() -> Table:
    return Table("productos", "id", checks={"productos_stock_check": lambda row: row["stock"] >= 0})


def _reservas() -> Table:
    def has_reason(row: Row) -> bool:
        is_held: bool = row["estado"] == "reservada"
        return is_held == (row["motivo"] is None)

    return Table("reservas", "id_orden", checks={"reservas_check": has_reason})


def _ajustes() -> Table:
    return Table("ajustes", "id_ajuste", checks={"ajustes_cantidad_check": lambda row: row["cantidad"] != 0})


def _receipts() -> Table:
    return Table("recibos", "funcion", "id_mensaje")


_DATABASES: Final[dict[str, Callable[[], list[Table]]]] = {
    "ordenes": lambda: [_ordenes(), _receipts(), Table("plazos", "numero")],
    "ordenes_lectura": lambda: [Table("ordenes", "id_orden")],
    "productos": lambda: [_productos(), _reservas(), _ajustes(), _receipts()],
    "productos_lectura": lambda: [Table("productos", "id"), Table("movimientos", "id_producto", "version")],
    "conductores": lambda: [Conductores(), Asignaciones(), Esperas(), _receipts()],
    "conductores_lectura": lambda: [Table("conductores", "id_conductor")],
    "saga": lambda: [Table("sagalog", "id_mensaje")],
}
