"""Virtual time: one true time for a story, and a clock for each host that may be wrong by minutes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from unittest.mock import patch

SECOND: Final = 1_000_000_000
"""Times are in ns, as those of Python's time.time_ns."""
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
START: Final = 1_767_225_600 * SECOND
"""The true time at which stories begin: 2026-01-01 00:00 UTC."""


class Clock:
    """`now`: the true time, in ns since 1970. `offsets`: by how much a host's clock is ahead, in ns; 0 for others.
    `host`: the one whose code runs now.
    """

    def __init__(self, offsets: dict[str, int]) -> None:
        self.now = START
        self.offsets = offsets
        self.host = ""

    def time_ns(self) -> int:
        """What the clock of the host whose code runs now shows."""
        return self.now + self.offsets.get(self.host, 0)

    def of(self, host: str) -> int:
        """What the clock of `host` shows, in ns since 1970."""
        return self.now + self.offsets.get(host, 0)

    def when(self, host: str, shown: int) -> int:
        """The true time at which the clock of `host` shows `shown`."""
        return shown - self.offsets.get(host, 0)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Within it Python's wall clock is this one, and CLOCK_BOOTTIME, which nobody sets, the true time. Other clocks
        only measure, and stay.
        """
        with (
            patch.object(time, "time_ns", self.time_ns),
            patch.object(time, "time", lambda: self.time_ns() / SECOND),
            patch.object(time, "clock_gettime_ns", lambda _: self.now),
        ):
            yield
