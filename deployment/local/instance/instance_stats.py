"""What an instance counts: totals, the running minute, user metrics, and the latest exceptions."""

import threading
import time
import traceback
from collections import deque
from dataclasses import astuple, dataclass, field, replace

LATEST = 10  # exceptions kept for `functions status`
REPORTED_PER_MINUTE = 5  # exceptions that become a gauge; more would flood Prometheus with label values


@dataclass(slots=True)
class Counts:
    """One set of figures; latencies in milliseconds, of successful calls only."""

    received: int = 0
    processed_successfully: int = 0
    system_exceptions: int = 0
    user_exceptions: int = 0
    latency_count: int = 0
    latency_sum: float = 0.0

    @property
    def average_latency(self) -> float:
        return self.latency_sum / self.latency_count if self.latency_count else 0.0

    def since(self, earlier: "Counts") -> "Counts":
        return Counts(*(now - then for now, then in zip(astuple(self), astuple(earlier), strict=True)))


@dataclass(slots=True)
class Failures:
    """Exceptions of one kind: the latest (traceback, ms since the epoch), and texts for Prometheus."""

    latest: deque[tuple[str, int]] = field(default_factory=lambda: deque(maxlen=LATEST))
    reported: dict[str, float] = field(default_factory=dict)
    _window_start: float = 0.0
    _in_window: int = 0

    def add(self, error: BaseException) -> None:
        self.latest.append(("".join(traceback.format_exception(error)), int(time.time() * 1000)))
        now = time.monotonic()
        if now - self._window_start >= 60:
            self._window_start, self._in_window = now, 0
        self._in_window += 1
        if self._in_window <= REPORTED_PER_MINUTE:
            self.reported[str(error)] = 1.0


@dataclass(slots=True)
class UserMetric:
    """What a function recorded under one name with `record_metric`."""

    count: int = 0
    sum: float = 0.0
    created: float = field(default_factory=time.time)


class Stats:
    """Of messages by the processing thread alone; what others may count too, with a lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.created = time.time()
        self.total = Counts()
        self._before = Counts()
        self.last_invocation = 0.0  # ms since the epoch
        self.user_failures = Failures()
        self.system_failures = Failures()
        self.user_metrics: dict[str, UserMetric] = {}

    @property
    def minute(self) -> Counts:
        """Of the running minute."""
        return self.total.since(self._before)

    def received(self) -> None:
        self.total.received += 1

    def invoked(self) -> None:
        self.last_invocation = time.time() * 1000.0

    def took(self, milliseconds: float) -> None:
        self.total.latency_count += 1
        self.total.latency_sum += milliseconds

    def processed(self) -> None:
        self.total.processed_successfully += 1

    def user_exception(self, error: BaseException) -> None:
        self.total.user_exceptions += 1
        self.user_failures.add(error)

    def system_exception(self, error: BaseException) -> None:
        with self._lock:
            self.total.system_exceptions += 1
            self.system_failures.add(error)

    def record(self, name: str, value: float) -> None:
        with self._lock:
            metric = self.user_metrics.setdefault(name, UserMetric())
            metric.count += 1
            metric.sum += value

    def new_minute(self) -> None:
        self._before = replace(self.total)

    def user_figures(self) -> dict[str, float]:
        """The user metrics under the names that the worker shows."""
        with self._lock:
            sums = {f"user_metric_{name}_sum": metric.sum for name, metric in self.user_metrics.items()}
            counts = {f"user_metric_{name}_count": metric.count for name, metric in self.user_metrics.items()}
        return sums | counts

    def reset_user_metrics(self) -> None:
        with self._lock:
            for metric in self.user_metrics.values():
                metric.count, metric.sum = 0, 0.0
