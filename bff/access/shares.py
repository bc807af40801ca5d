"""How many requests may wait, or follow an order, at once: in all, and of one user."""

from collections import Counter
from threading import Lock
from typing import Final

from werkzeug.exceptions import ServiceUnavailable, TooManyRequests

from bff.telemetry.metrics import WAITING

RETRY_AFTER: Final = 3
"""Seconds after which it makes sense to try again: most orders have ended by then."""


class Shares:
    """Places of this process for requests that take long, so that something is left for all others, and for all users.

    Who has taken a place must release it. Nobody queues for one. Any thread may call.

    Parameters:
      count: the number of places.
      per_user: most places of one user; None for all.
    """

    def __init__(self, count: int, per_user: int | None = None) -> None:
        self._count = count
        self._per_user = count if per_user is None else per_user
        self._taken: Counter[str | None] = Counter()
        self._lock = Lock()

    def take(self, user: str | None) -> None:
        """Takes a place. Raises 429 if the user has all of theirs, 503 if none is free, both with Retry-After.

        `user`: None if the API knows no users: then the places are for everybody.
        """
        with self._lock:
            if user is not None and self._taken[user] >= self._per_user:
                raise TooManyRequests(
                    f"{self._per_user} requests of this user wait already: try again when one has ended",
                    retry_after=RETRY_AFTER,
                )
            if self._taken.total() >= self._count:
                raise ServiceUnavailable(
                    f"{self._count} requests wait already: try again when one has ended", retry_after=RETRY_AFTER
                )
            self._taken[user] += 1
        WAITING.add(1)

    def release(self, user: str | None) -> None:
        """Gives a place of this user back."""
        with self._lock:
            self._taken[user] -= 1
            if not self._taken[user]:
                del self._taken[user]
        WAITING.add(-1)
