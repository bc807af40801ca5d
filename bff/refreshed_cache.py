"""A value from another service that is kept in memory and read again in a thread of its own."""

import threading
from collections.abc import Callable
from math import inf
from typing import Generic, TypeVar

T = TypeVar("T")


class RefreshedCache(Generic[T]):
    """Keeps the latest value of `read`, for any number of threads.

    `refresh` starts reading in a daemon thread; only one thread reads at a time. Meanwhile, and after a failure, `get`
    goes on returning the old value to whoever accepts its age, and `wait` holds a caller up for only so long as the
    caller says: `read` itself may take for ever, because looking up a host's name has no timeout.

    The cache does not refresh itself: without a caller of `refresh` the value only gets older. It does not retry
    either, and it does not say what went wrong: `read` has to log that.

    Parameters:
      read: reads the value; None says that it failed, and then the old value stays.
      name: the thread's name.
      pause: the least number of seconds from one refresh to the next, whether it failed or not.
      clock: seconds that never go back.
      counts_from_end: ages and pauses count from the end of a refresh, which spares a slow source; otherwise from its
        beginning, so that no value passes for newer than it may be.
    """

    def __init__(
        self,
        read: Callable[[], T | None],
        *,
        name: str,
        pause: float,
        clock: Callable[[], float],
        counts_from_end: bool = False,
    ) -> None:
        self._read = read
        self._name = name
        self._pause = pause
        self._clock = clock
        self._counts_from_end = counts_from_end
        self._latest: tuple[float, T | None] = (-inf, None)  # one assignment replaces both: readers take no lock
        self._last_refresh = -inf
        self._failed = False
        self._ended = threading.Event()
        self._ended.set()
        self._lock = threading.Lock()

    @property
    def last_refresh(self) -> float:
        """When the latest refresh began (or ended, if times count from the end), by the clock; -inf if none has."""
        return self._last_refresh

    @property
    def is_refreshing(self) -> bool:
        """Whether a refresh is under way."""
        return not self._ended.is_set()

    @property
    def is_current(self) -> bool:
        """Whether the latest refresh has ended and brought a value."""
        return not self.is_refreshing and not self._failed

    def get(self, max_age: float = inf) -> T | None:
        """The latest value, if it is less than `max_age` seconds old; None if it is older or if there is none yet."""
        read_at, value = self._latest
        return value if self._clock() - read_at < max_age else None

    def refresh(self) -> bool:
        """Starts a refresh and returns True, unless one is under way or the pause after the last one is not over."""
        with self._lock:
            if self.is_refreshing or self._clock() - self._last_refresh < self._pause:
                return False
            self._last_refresh = self._clock()
            ended = threading.Event()
            threading.Thread(target=self._run, args=(ended,), name=self._name, daemon=True).start()
            self._ended = ended
            return True

    def wait(self, timeout: float) -> None:
        """Returns when no refresh is under way, or after `timeout` seconds."""
        self._ended.wait(timeout)

    def _run(self, ended: threading.Event) -> None:
        value = None
        try:
            value = self._read()
        finally:
            if self._counts_from_end:
                self._last_refresh = self._clock()
            if value is not None:
                self._latest = (self._last_refresh, value)
            self._failed = value is None
            ended.set()
