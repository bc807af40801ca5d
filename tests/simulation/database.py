"""A database in memory: what the engine and the tables use of SQLAlchemy's engine and connections."""

from collections.abc import Mapping
from types import SimpleNamespace, TracebackType
from typing import Any

import sqlalchemy as sa

from functions.postgres import clock
from tests.simulation import tables
from tests.simulation.clock import Clock
from tests.simulation.statements import Rows, action
from tests.simulation.steps import Steps


class Database:
    """One of the six. `is_away`: nobody reaches it."""

    def __init__(self, name: str, clock: Clock) -> None:
        self.name, self.clock = name, clock
        self.tables = tables.tables(name)
        self.is_away = False


class Session:
    """The engine's `sa.Engine`: one connection of one instance. `info` is what is known of the connection, as
    SQLAlchemy keeps it; None if there is none.
    """

    def __init__(self, database: Database, steps: Steps) -> None:
        self.database, self.steps = database, steps
        self.info: dict[str, Any] | None = None

    def begin(self) -> "Transaction":
        return Transaction(self)

    def reach(self) -> None:
        """Raises what SQLAlchemy does if the database does not answer; the connection is gone then."""
        try:
            if self.database.is_away:
                raise unavailable()
            self.steps.cross(unavailable)
        except sa.exc.OperationalError:
            self.info = None
            raise

    def connect(self) -> dict[str, Any]:
        """Connects, unless it is connected."""
        if self.info is None:
            record = SimpleNamespace(info={})
            clock.start(self, record)
            self.info = record.info
        return self.info

    def execute_simple(self, _: str) -> Any:
        """What the server's clock says, in ms: nothing else is asked for with a new connection."""
        return SimpleNamespace(rows=[(self.database.clock.of(self.database.name) // 1_000_000,)])

    def dispose(self) -> None:
        """Closes nothing."""


class Transaction:
    """All or nothing. Transactions of several instances come one after another, as if each had locked all tables."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._journal: tables.Journal = []
        self.info: dict[str, Any] = {}

    def __enter__(self) -> "Transaction":
        self._session.reach()
        self.info = self._session.connect()
        return self

    def execute(self, statement: sa.TextClause, parameters: Mapping[str, Any] | None = None) -> Rows:
        """What the statement returns; raises as PostgreSQL does, at once."""
        self._session.reach()
        return action(statement.text)(self._session.database.tables, parameters or {}, self._journal)

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is None:
            try:
                self._session.reach()
            except BaseException:
                self._undo()
                raise
            self._session.reach()  # committed: whoever doesn't hear of it doesn't know
        else:
            self._undo()

    def _undo(self) -> None:
        for table, key, row in reversed(self._journal):
            table.put(key, row)


def unavailable() -> sa.exc.OperationalError:
    """What SQLAlchemy raises if the server does not answer."""
    return sa.exc.OperationalError("in memory", {}, ConnectionRefusedError("the database is away"))
