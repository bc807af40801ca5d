"""The boundaries that an attempt at a batch crosses, one after another: where it may die, or be let down."""

from collections.abc import Callable
from typing import Final

DEATH: Final = "death"
FAILURE: Final = "failure"


class Death(BaseException):
    """The process ends here: what it held in memory is gone, and so is its transaction, unless it was committed."""


class Steps:
    """Counts the boundaries of one instance: begin, each statement, before and after COMMIT, each entry for the broker
    before and after it is stored, each acknowledgement. At the planned one it raises, once.
    """

    def __init__(self) -> None:
        self._remaining = 0
        self._kind = DEATH

    def plan(self, kind: str, step: int) -> None:
        """DEATH or FAILURE at the boundary `step` from now, from 1."""
        self._kind, self._remaining = kind, step

    def cross(self, failure: Callable[[], Exception]) -> None:
        """One boundary. Raises Death, or `failure()`, if this is the planned one."""
        if self._remaining:
            self._remaining -= 1
            if not self._remaining:
                raise Death if self._kind == DEATH else failure()
