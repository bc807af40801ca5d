"""Waiting for what a command leads to: `Prefer: wait=N` (RFC 7240), how often to poll, and how many may wait."""

import re
import time
from collections.abc import Callable, Iterator
from typing import Final, TypeGuard

from flask import Request
from werkzeug.exceptions import ServiceUnavailable, TooManyRequests

from bff.access.shares import Shares
from bff.backends.read_models import DatabaseUnavailable, Row

LONGEST_WAIT: Final = 10
"""Longest wait in seconds, whatever the client prefers."""
FIRST_PAUSE: Final = 0.008
"""Seconds between the first two polls: no new order ends sooner."""
PAUSE: Final = (0.0005, 0.1)
"""Shortest and longest pause between later polls of the read model, in seconds."""
BACKOFF: Final = 1.2
"""Factor from one pause to the next: an answer comes late by at most about a fifth of the time that was waited."""
_WAIT: Final = re.compile(r'wait\s*=\s*"?([0-9]{1,9})"?', re.ASCII | re.IGNORECASE)


def preferred_wait(request: Request) -> int:
    """The seconds that the client prefers to wait, at most LONGEST_WAIT; 0 if the header Prefer does not say."""
    for preference in request.headers.get("Prefer", "").split(","):
        if match := _WAIT.fullmatch(preference.partition(";")[0].strip()):
            return min(int(match[1]), LONGEST_WAIT)
    return 0


def until_found(find: Callable[[], Row | None], seconds: int, places: Shares, user: str | None) -> Row | None:
    """What `find` returns once it is not None. None if time is over, too many wait already, or the database fails."""
    if not seconds:
        return None
    try:
        places.take(user)
    except (TooManyRequests, ServiceUnavailable):
        return None  # what is waited for was accepted, so to answer without waiting is no failure
    try:
        for _ in polls(seconds):
            if (found := find()) is not None:
                return found
        return None
    except DatabaseUnavailable:
        return None
    finally:
        places.release(user)


def has_ended(orden: Row | None) -> TypeGuard[Row]:
    """Whether there is an order and its saga is over, well or not."""
    return orden is not None and orden["estado"] != "creada"


def if_ended(orden: Row | None) -> Row | None:
    """The order if its saga is over; else None."""
    return orden if has_ended(orden) else None


def polls(seconds: float) -> Iterator[None]:
    """Yields whenever it is time to poll: at once, then less and less often, and once more after `seconds`."""
    shortest, longest = PAUSE
    deadline = time.monotonic() + seconds
    pause = FIRST_PAUSE
    next_pause = shortest
    yield
    while (remaining := deadline - time.monotonic()) > 0:
        time.sleep(min(pause, remaining))
        pause = next_pause
        next_pause = min(BACKOFF * next_pause, longest)
        yield
