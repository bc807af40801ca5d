"""Reading what clients follow: for all of them together, as soon as there may be something new."""

import heapq
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from math import inf
from typing import Final, Generic, TypeVar

from bff.backends.read_models import DatabaseUnavailable
from bff.following.followed import Followed
from functions.messages.ids import Id

MAX_KEYS: Final = 500
"""Most rows that are asked for at once: a query stays quick, and so does whoever waits for the next one."""

GROWTH: Final = 1.3
"""Factor from one pause to the next: what is new is noticed late by at most a third of the time that it took."""

_log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pace:
    """How often something is read, in seconds.

    Attributes:
      first: before the first reading, if nobody says when there is something new.
      quiet: before the first reading, and the longest pause, if somebody does.
      told: from that word to the reading: what was announced is in the read model a moment later.
      again: the pause after that reading; each further one is GROWTH times as long.
      longest: the longest pause, if nobody says when there is something new.
    """

    first: float
    quiet: float
    told: float
    again: float
    longest: float


class Following(Generic[T]):
    """Reads, in a thread of its own, what clients follow: in one query for all whose turn has come.

    Somebody may say that there is something new (`tell`); meanwhile readings are rare. While nobody would
    (`is_told()` is False) they are frequent. From any thread.

    Parameters:
      name: the thread's name.
      read: reads the things with these ids; what is not there is left out. Raises DatabaseUnavailable.
      pace: how often.
      is_told: whether somebody says when there is something new.
    """

    def __init__(
        self,
        name: str,
        read: Callable[[Sequence[Id]], Mapping[Id, T]],
        pace: Pace,
        is_told: Callable[[], bool] = lambda: False,
    ) -> None:
        self._name, self._read, self._pace, self._is_told = name, read, pace, is_told
        self._followed: dict[Id, list[Followed[T]]] = {}
        self._turns: list[tuple[float, int, Followed[T]]] = []
        self._numbers = count()
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def __contains__(self, key: Id) -> bool:
        return key in self._followed

    def follow(self, key: Id, *, at_once: bool = False, on_leave: Callable[[], None] = lambda: None) -> Followed[T]:
        """Begins to follow something. `at_once`: it may be there already. `on_leave` is called at the end."""

        def leave(followed: Followed[T]) -> None:
            self._forget(followed)
            on_leave()

        followed = Followed(key, leave)
        is_told = self._is_told()
        followed.pause = self._pace.again if at_once or not is_told else self._pace.quiet
        with self._changed:
            if self._is_closed:
                followed.end()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._followed.setdefault(key, []).append(followed)
            self._plan(followed, 0 if at_once else self._pace.quiet if is_told else self._pace.first)
        return followed

    def tell(self, key: Id) -> None:
        """Says that there is something new, or will be in a moment. What nobody follows does not matter."""
        if key not in self._followed:
            return
        with self._changed:
            for followed in self._followed.get(key, ()):
                followed.pause = self._pace.again
                self._plan(followed, self._pace.told)

    def close(self) -> None:
        """Ends everything that is followed, and whatever will be."""
        with self._changed:
            self._is_closed = True
            for followed in [one for others in self._followed.values() for one in others]:
                followed.end()

    def _forget(self, followed: Followed[T]) -> None:
        with self._changed:
            followed.next_read = inf
            others = self._followed[followed.key]
            others.remove(followed)
            if not others:
                del self._followed[followed.key]

    def _plan(self, followed: Followed[T], pause: float) -> None:
        followed.next_read = time.monotonic() + pause
        heapq.heappush(self._turns, (followed.next_read, next(self._numbers), followed))
        self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not (due := self._due()):
                    self._changed.wait(self._turns[0][0] - time.monotonic() if self._turns else None)
            found: Mapping[Id, T] = {}
            failure = None
            try:
                found = self._read(list({followed.key for followed in due}))
            except DatabaseUnavailable as error:
                failure = error
            except Exception as error:  # whatever it is: those who wait have to be told
                _log.exception("%s can't be read", self._name)
                failure = DatabaseUnavailable(str(error))
            self._hand_over(due, found, failure)

    def _due(self) -> list[Followed[T]]:
        """Those whose turn has come; they have no other turn until they are planned again."""
        due: list[Followed[T]] = []
        now = time.monotonic()
        while self._turns and self._turns[0][0] <= now and len(due) < MAX_KEYS:
            turn, _, followed = heapq.heappop(self._turns)
            if turn == followed.next_read:  # else it was planned anew, or nobody follows it any more
                followed.next_read = inf
                due.append(followed)
        return due

    def _hand_over(
        self, due: Sequence[Followed[T]], found: Mapping[Id, T], failure: DatabaseUnavailable | None
    ) -> None:
        longest = self._pace.quiet if self._is_told() else self._pace.longest
        for followed in due:
            followed.put(found.get(followed.key), failure)
        with self._changed:
            for followed in due:
                if followed.next_read == inf and not followed.is_over:
                    self._plan(followed, min(followed.pause, longest))
                    followed.pause *= GROWTH
