"""Waiting for what a command leads to: `Prefer: wait=N` (RFC 7240), how often to poll, and how many may wait."""

import re
import time
from collections.abc import Callable, Iterator
from threading import Semaphore
from typing import Final, TypeGuard

from flask import Request

from bff.backends.read_models import DatabaseUnavailable, Row
from bff.telemetry.metrics import WAITING

LONGEST_WAIT: Final = 10
"""Longest wait in seconds, whatever the client prefers."""
FIRST_PAUSE: Final = 0.008
"""Seconds between the first two polls: no new order ends sooner."""
PAUSE: Final = (0.0005, 0.1)
"""Shortest and longest pause between later polls of the read model, in seconds."""
BACKOFF: Final = 1.2
"""Factor from one pause to the next: an answer comes late by at most about a fifth of the time that was waited."""
_WAIT: Final = re.compile(r'wait\s*=\s*"?([0-9]{1,9})"?', re.ASCII | re.IGNORECASE)


class WaitSlots:
    """Limits how many requests of this process wait at once, so that threads are left for all others.

    Who has taken a slot must release it. Nobody queues for one.

    Parameters:
      count: the number of slots.
    """

    def __init__(self, count: int) -> None:
        self._free = Semaphore(count)

    def take(self) -> bool:
        """Takes a slot and returns True, or returns False at once if none is free."""
        taken = self._free.acquire(blocking=False)
        WAITING.add(taken)
        return taken

    def release(self) -> None:
        """Gives a taken slot back."""
        self._free.release()
        WAITING.add(-1)


def preferred_wait(request: Request) -> int:
    """The seconds that the client prefers to wait, at most LONGEST_WAIT; 0 if the header Prefer does not say."""
    for preference in request.headers.get("Prefer", "").split(","):
        if match := _WAIT.fullmatch(preference.partition(";")[0].strip()):
            return min(int(match[1]), LONGEST_WAIT)
    return 0


def until_found(find: Callable[[], Row | None], seconds: int, slots: WaitSlots) -> Row | None:
    """What `find` returns once it is not None. None if time is over, too many wait already, or the database fails."""
    if not seconds or not slots.take():
        return None
    try:
        for _ in polls(seconds):
            if (found := find()) is not None:
                return found
        return None
    except DatabaseUnavailable:
        return None
    finally:
        slots.release()


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
