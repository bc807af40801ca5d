"""What the broker's admin API says of topics, for the panel: counters, and the backlog of each subscription."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from bff.refreshed_cache import RefreshedCache
from functions.cluster.admin_rest import AdminUnavailable, Api
from functions.messages.topics import TENANT

TIMEOUT: Final = 1.0
"""Seconds that the broker has for each answer."""
FRESH_FOR: Final = 1.0
"""Least number of seconds between two readings, however many clients ask."""
USABLE_FOR: Final = 10.0
"""Seconds after which figures are no longer shown."""
MAX_WAIT: Final = 0.5
"""Seconds that a request waits for figures that are being read."""
MAX_WAITING: Final = 2
"""Requests that may wait at once; others get the previous figures, so that threads are left for the API."""
MAX_CONCURRENT: Final = 4
"""Requests to the admin API at once."""

Data = dict[str, Any]
_log = logging.getLogger(__name__)


class Figures:
    """The figures of some topics, read in a thread of their own when somebody asks for them, for any number of threads.

    Figures are read at most once every FRESH_FOR seconds, and none are shown that are older than USABLE_FOR. A broker
    that hangs holds up MAX_WAITING requests for MAX_WAIT seconds each, and no others. A failure is shown as a state,
    and logged once for as long as it stays the same.

    Parameters:
      api: the broker's admin API; None if its address is not configured.
      topics: their names, "<namespace>/<topic>".
      clock: seconds that never go back.
    """

    def __init__(self, api: Api | None, topics: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._topics = topics
        self._failure: Data | None = None  # the latest reading's, if it failed
        self._cache: RefreshedCache[Data] | None = None
        if api is not None:
            read = partial(self._read, api)
            self._cache = RefreshedCache(read, name="figures", pause=FRESH_FOR, clock=clock, counts_from_end=True)
        self._waiting = threading.Semaphore(MAX_WAITING)

    def view(self) -> Data:
        """The latest figures, within MAX_WAIT seconds. `estado` is "bien", or it says why there are none."""
        if self._cache is None:
            return {"estado": "sin_direccion"}
        self._cache.refresh()
        if self._cache.is_refreshing and self._waiting.acquire(blocking=False):
            try:
                self._cache.wait(MAX_WAIT)
            finally:
                self._waiting.release()
        return self._cache.get(USABLE_FOR) or {"estado": "leyendo"}

    def _read(self, api: Api) -> Data:
        """The figures, or the state that says why they can't be read: never None, so that it replaces old figures."""
        try:
            data = {"estado": "bien", "hora": time.time_ns() // 1_000_000, "topics": self._read_topics(api)}
            self._failure = None
        except Exception as error:  # the thread has no caller that could report it
            is_refused = isinstance(error, AdminUnavailable) and error.status in (401, 403)
            data = {"estado": "sin_permiso" if is_refused else "sin_broker"}
            if data != self._failure:
                _log.warning("can't get the topics' figures: %s", error)
            self._failure = data
        return data

    def _read_topics(self, api: Api) -> dict[str, Data]:
        """The figures of those topics that exist. The first request without an answer is the last one."""
        with ThreadPoolExecutor(MAX_CONCURRENT, "figures") as executor:
            answers = zip(self._topics, executor.map(partial(_fetch_stats, api), self._topics), strict=True)
            return {topic: _summary(stats) for topic, stats in answers if stats is not None}


def _fetch_stats(api: Api, topic: str) -> Data | None:
    for endpoint in ("stats", "partitioned-stats"):
        stats: Data | None = api.read(f"/admin/v2/persistent/{TENANT}/{topic}/{endpoint}")
        if stats is not None:
            return stats
    return None


def _summary(stats: Data) -> Data:
    """A topic's figures as the panel shows them. Delayed messages, which are not due yet, don't count as backlog."""
    return {
        "entradas": stats["msgInCounter"],
        "suscripciones": {
            name: {
                "pendientes": max(0, figures["msgBacklog"] - figures.get("msgDelayed", 0)),
                "demorados": figures.get("msgDelayed", 0),
                "salidas": figures["msgOutCounter"],
            }
            for name, figures in stats["subscriptions"].items()
        },
    }
