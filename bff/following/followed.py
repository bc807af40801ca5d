"""What one client follows, between the thread that reads it and the event loop that waits for it."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import Generic, TypeVar

from bff.backends.read_models import DatabaseUnavailable
from functions.messages.ids import Id

T = TypeVar("T")


class Followed(Generic[T]):
    """One thing that one client follows. `news` is called in an event loop; everything else from any thread.

    Parameters:
      key: its id.
      on_leave: is called when it is followed no longer.

    Attributes:
      latest: what was read last; None if nothing was found, or nothing was read yet.
      failure: why it could not be read the last time; None if it could.
      is_over: whether there will be no more news: the server stops, or the client has left.
      next_read, pause: when whoever reads it does so next, and the pause after that; nobody else's business.
    """

    def __init__(self, key: Id, on_leave: "Callable[[Followed[T]], None]") -> None:
        self.key = key
        self._on_leave = on_leave
        self.latest: T | None = None
        self.failure: DatabaseUnavailable | None = None
        self.is_over = False
        self.next_read = inf
        self.pause = 0.0
        self._has_news = False
        self._notify: Callable[[], object] | None = None
        self._lock = threading.Lock()

    async def news(self, timeout: float) -> bool:
        """Whether anything was read, or failed, since the last call; waits for that up to `timeout` seconds."""
        loop = asyncio.get_running_loop()
        told = loop.create_future()

        def tell() -> None:
            if not told.done():
                told.set_result(None)

        with self._lock:
            self._notify = lambda: loop.call_soon_threadsafe(tell)
            if self._has_news or self.is_over:
                tell()
        with suppress(TimeoutError):
            await asyncio.wait_for(told, timeout)
        with self._lock:
            self._notify = None
            has_news, self._has_news = self._has_news, False
        return has_news and not self.is_over

    def put(self, latest: T | None, failure: DatabaseUnavailable | None) -> None:
        """Hands over what was read."""
        self.latest, self.failure = latest, failure
        self._tell()

    def end(self) -> None:
        """Lets whoever waits for news go on."""
        self.is_over = True
        self._tell()

    def leave(self) -> None:
        """Follows it no longer. Whoever has got this calls it once."""
        self.end()
        self._on_leave(self)

    def _tell(self) -> None:
        with self._lock:
            self._has_news = True
            if self._notify is not None:
                self._notify()
