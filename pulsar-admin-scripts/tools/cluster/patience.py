"""Waiting for a cluster that is slow, starts, or changes its leader: asking again, and saying what is waited for."""

import sys
import threading
import time
from collections.abc import Callable, Sequence
from itertools import count
from typing import Final, Self, TypeVar

from functions.cluster.admin_rest import AdminUnavailable
from functions.program.threads import start
from tools.cluster.shell import Response

SECONDS: Final = 90.0
"""For how long what gets no answer, or the answer that it can't be done now, is tried again."""
PAUSES: Final = (0.25, 4.0)
"""First and longest pause between two tries, in seconds; it doubles."""
FIRST_NOTICE: Final = 5.0
"""Seconds after which people are told what is waited for."""
NOTICE_EVERY: Final = 10.0
"""Seconds between two notices after the first."""

R = TypeVar("R")


class Patience:
    """Tries again until there is an answer, for SECONDS in all from when it was made; threads may share it.

    It is used as a context. While it is open it says on stderr what is slow: the first time after FIRST_NOTICE seconds.
    Once it is closed nothing is tried again, so that whoever is interrupted does not wait for threads that wait.
    """

    def __init__(self, subject: str, reason: str = "no answer yet") -> None:
        """`subject`: what is waited for, `reason`: why, while nothing has failed yet; for people."""
        self._subject = subject
        self._started = time.monotonic()
        self._reason = reason
        self._closed = threading.Event()
        self._notices = threading.Thread(target=self._announce, daemon=True)

    def __enter__(self) -> Self:
        start(self._notices)
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()

    def ask(self, request: Callable[[], R]) -> R:
        """What `request` returns. It is called again after a transient AdminUnavailable; others are raised."""
        for tries in count():
            try:
                return request()
            except AdminUnavailable as error:
                if not error.is_transient or not self.wait(tries, str(error)):
                    raise
        raise AssertionError

    def insist(self, attempt: Callable[[], Sequence[Response]]) -> Sequence[Response]:
        """Calls `attempt` until it returns no failures, or one that does not pass by itself; what it returned last.

        `attempt` makes those changes that are still missing, and returns the commands that failed and whose effect is
        not there either.
        """
        for tries in count():
            failures = attempt()
            if not failures or not all(failure.is_transient for failure in failures):
                return failures
            if not self.wait(tries, str(failures[0].failure)):
                return failures
        raise AssertionError

    def wait(self, tries: int, reason: str) -> bool:
        """Waits before another try; False, at once, if there is no time for one.

        `tries`: how many there were before the last one; `reason`: why that failed, for people.
        """
        self._reason = reason.removeprefix(self._subject).strip()
        pause = min(PAUSES[0] * 2 ** min(tries, 8), PAUSES[1])
        if time.monotonic() + pause - self._started > SECONDS:
            return False
        return not self._closed.wait(pause)

    def _announce(self) -> None:
        pause = FIRST_NOTICE
        while not self._closed.wait(pause):
            seconds = time.monotonic() - self._started
            print(f"waiting for {self._subject} for {seconds:.0f} s: {self._reason} …", file=sys.stderr, flush=True)
            pause = NOTICE_EVERY
