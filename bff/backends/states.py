"""Whether the databases can be read: asked for by /ready and /metrics, which must not wait for them for long."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from bff.backends.read_models import DATABASES
from bff.refreshed_cache import RefreshedCache

MAX_WAIT: Final = 2.0
"""Seconds that the databases' answers are waited for: whoever asks, such as a probe, has to wait for longer."""
_log = logging.getLogger(__name__)


class States:
    """Whether each database answers now, for any number of threads.

    Each question is asked anew, unless one is under way: that is shared, so that however many ask, each database has
    one such question at a time. What is away is logged once, until it is back.

    Parameters:
      check: raises an exception if the database with this name does not answer.
      clock: seconds that never go back.
    """

    def __init__(self, check: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._check = check
        self._away: set[str] = set()
        self._cache = RefreshedCache(self._read, name="states", pause=0, clock=clock)

    def ask(self) -> None:
        """Asks all databases, and does not wait for their answers."""
        self._cache.refresh()

    def answers(self) -> dict[str, bool]:
        """Whether each of DATABASES has answered what was asked last; waits for that up to MAX_WAIT seconds."""
        self._cache.wait(MAX_WAIT)
        found = self._cache.get() if self._cache.is_current else None
        return found or dict.fromkeys(DATABASES, False)

    def _read(self) -> dict[str, bool]:
        with ThreadPoolExecutor(len(DATABASES), "states") as executor:
            return dict(zip(DATABASES, executor.map(self._answers, DATABASES), strict=True))

    def _answers(self, database: str) -> bool:
        try:
            self._check(database)
        except Exception as error:  # whatever it is: the thread has no caller that could report it
            if database not in self._away:
                _log.warning("%s can't be read: %s", database, error)
            self._away.add(database)
            return False
        self._away.discard(database)
        return True
