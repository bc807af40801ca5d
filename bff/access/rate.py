"""How many requests one client may send."""

import math
import time

import limits
from werkzeug.exceptions import TooManyRequests


class RateLimit:
    """Counts each client's requests in a sliding window, in this process's memory.

    Each worker counts for itself, and forgets when it ends: with several workers a client may send several times the
    limit.

    Parameters:
      limit: such as "100/second" or "1000/minute"; ValueError if it can't be read.
    """

    def __init__(self, limit: str) -> None:
        self._limit = limits.parse(limit)
        self._limiter = limits.strategies.SlidingWindowCounterRateLimiter(limits.storage.MemoryStorage())

    def require(self, client: str) -> None:
        """Counts a request of the client. Raises 429 with Retry-After if it is one too many."""
        if self._limiter.hit(self._limit, client):
            return
        reset_at = self._limiter.get_window_stats(self._limit, client).reset_time
        raise TooManyRequests(
            f"more than {self._limit}: wait as Retry-After says",
            retry_after=max(1, math.ceil(reset_at - time.time())),
        )
