"""Metrics for Prometheus: those of all workers together if they share the folder PROMETHEUS_MULTIPROC_DIR."""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http import HTTPMethod
from itertools import count
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, REGISTRY, CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client import values as prometheus_values
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

MEDIA_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
"""The media type of `text`."""
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10)
"""Upper bounds of the histograms' buckets, in seconds, ascending."""


class _Files:
    """The files of this process, `<kind>_<name>.db` in a folder.

    Cleaners of /tmp remove files that are in use. Under another name the client library begins new ones, and what is
    counted begins at 0 again; under the same one it would go on writing to what nobody can read any more.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count(1)
        self._rename()

    def name(self) -> str:
        """The present name; two processes never have the same."""
        return self._name

    def renew(self) -> None:
        """Changes the name if the file of the gauges, which every process has, is gone; makes the folder if need be."""
        if not os.path.exists(self._gauges):  # half the time of Path.exists, for every request
            self._rename()

    def _rename(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._name = f"{os.getpid()}-{next(self._numbers)}"
        self._gauges = f"{self._folder}/gauge_livesum_{self._name}.db"


class Level:
    """A gauge of this process that goes up and down, from any thread; its count survives the loss of the file."""

    def __init__(self, gauge: Gauge) -> None:
        self._gauge = gauge
        self._count = 0
        self._lock = threading.Lock()

    def add(self, number: int) -> None:
        """Raises the count by a number, which may be negative."""
        with self._lock:
            self._count += number
            self._gauge.set(self._count)


_files: _Files | None = None
if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
    _files = _Files(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
    prometheus_values.ValueClass = prometheus_values.MultiProcessValue(_files.name)  # type: ignore

REQUESTS: Final = Histogram(
    "bff_request_seconds", "Requests, until their answer was made.", ("method", "route", "status"), buckets=_BUCKETS
)
IN_PROGRESS: Final = Level(Gauge("bff_requests_in_progress", "Requests in hand.", multiprocess_mode="livesum"))
WAITING: Final = Level(
    Gauge("bff_requests_waiting", "Requests that wait for a saga, a product or a driver.", multiprocess_mode="livesum")
)
_PUBLISHES: Final = Histogram(
    "bff_publish_seconds", "Until the broker confirmed a command, or did not.", ("topic", "result"), buckets=_BUCKETS
)
_CONNECTIONS: Final = Gauge(
    "bff_database_connections_in_use", "Connections that queries hold.", ("database",), multiprocess_mode="livesum"
)


def begin_request() -> None:
    """Counts a request that is in hand from now on, after making sure that what is counted can be read."""
    if _files is not None:
        _files.renew()
    IN_PROGRESS.add(1)


def end_request() -> None:
    """Counts a request that is no longer in hand."""
    IN_PROGRESS.add(-1)


def answered(method: str, route: str, status: int, seconds: float) -> None:
    """Counts an answer that took so many seconds to make.

    Whatever clients send, there are only so many series: a method that HTTP does not know counts as `other`, and
    `route` must be a route's template.
    """
    label = method if method in HTTPMethod.__members__ else "other"
    REQUESTS.labels(label, route, status).observe(seconds)


@contextmanager
def publication(topic: str) -> Iterator[None]:
    """Measures how long the body of the `with` takes to publish to this topic, and whether it raises."""
    started = time.perf_counter()
    result = "failed"
    try:
        yield
        result = "confirmed"
    finally:
        _PUBLISHES.labels(topic, result).observe(time.perf_counter() - started)


@cache
def _connections_in_use(database: str | None) -> Level:
    return Level(_CONNECTIONS.labels(database))


def watch(engine: sa.Engine) -> None:
    """Counts the connections of this engine's pool that are in use."""
    in_use = _connections_in_use(engine.url.database)
    sa.event.listen(engine, "checkout", lambda *_: in_use.add(1))
    sa.event.listen(engine, "checkin", lambda *_: in_use.add(-1))


WAITING_ORDERS: Final = {
    "open": "Orders whose saga has not ended.",
    "dispatched": "Orders that are dispatched, and neither delivered nor brought back.",
}
"""What is told of orders that wait for something, by a part of the metrics' names."""


def text(
    waiting: Mapping[str, tuple[int, float]],
    read_models: Mapping[str, bool] | None = None,
    drivers: Mapping[str, int] | None = None,
) -> bytes:
    """All metrics, in Prometheus' text format.

    Parameters:
      waiting: for each of WAITING_ORDERS how many such orders there are, and for how long the oldest has been one, in
        seconds; none if that is unknown.
      read_models: whether each of what is read answers, by name.
      drivers: how many are in each state; none if that is unknown.
    """
    registry = REGISTRY
    if _files is not None:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry) + generate_latest(_Read(waiting, read_models or {}, drivers or {}))


class _Read(CollectorRegistry):
    """What the databases say. No worker keeps it: what several workers keep would be added up."""

    def __init__(
        self, waiting: Mapping[str, tuple[int, float]], read_models: Mapping[str, bool], drivers: Mapping[str, int]
    ) -> None:
        super().__init__()
        self._waiting, self._read_models, self._drivers = waiting, read_models, drivers

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, (orders, seconds) in self._waiting.items():
            yield GaugeMetricFamily(f"bff_{name}_orders", WAITING_ORDERS[name], orders)
            yield GaugeMetricFamily(f"bff_oldest_{name}_order_seconds", "For how long the oldest of them.", seconds)
        up = GaugeMetricFamily("bff_read_model_up", "Whether it can be read.", labels=["read_model"])
        for name, answers in self._read_models.items():
            up.add_metric([name], answers)
        yield up
        if self._drivers:
            found = GaugeMetricFamily("bff_drivers", "Drivers in each state.", labels=["estado"])
            for estado, number in self._drivers.items():
                found.add_metric([estado], number)
            yield found
