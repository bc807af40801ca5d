"""How many requests one client may send; each worker counts for itself, in memory."""

import math
import time

import limits
from werkzeug.exceptions import TooManyRequests


class Ritmo:
    """`limite`: such as "100/second" or "1000/minute"; ValueError if it is none."""

    def __init__(self, limite: str) -> None:
        self._limite = limits.parse(limite)
        self._cuenta = limits.strategies.SlidingWindowCounterRateLimiter(limits.storage.MemoryStorage())

    def exigir(self, cliente: str) -> None:
        """Raises 429 with Retry-After if the client has sent too many."""
        if self._cuenta.hit(self._limite, cliente):
            return
        vuelta = self._cuenta.get_window_stats(self._limite, cliente).reset_time
        raise TooManyRequests(
            f"more than {self._limite}: wait as Retry-After says",
            retry_after=max(1, math.ceil(vuelta - time.time())),
        )
