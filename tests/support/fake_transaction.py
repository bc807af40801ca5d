"""A transaction that only notes what it is asked to execute."""

from collections.abc import Mapping
from typing import Any


class FakeTransaction:
    """`executed`: the parameters of each statement that has some, in order. No statement has rows. `info`: that of the
    connection, which has its clock in it.
    """

    def __init__(self) -> None:
        self.info = {"clock_offset": 0.0}
        self.executed: list[Mapping[str, Any]] = []

    def execute(self, _statement: object, parameters: Mapping[str, Any] | None = None) -> list[object]:
        if parameters is not None:
            self.executed.append(parameters)
        return []
