"""Metrics for Prometheus: those of all workers together if they share the folder PROMETHEUS_MULTIPROC_DIR."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, REGISTRY, CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

MEDIA_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
"""The media type of `text`."""
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10)
"""Upper bounds of the histograms' buckets, in seconds, ascending."""

REQUESTS: Final = Histogram(
    "bff_request_seconds", "Requests, until their answer was made.", ("method", "route", "status"), buckets=_BUCKETS
)
IN_PROGRESS: Final = Gauge("bff_requests_in_progress", "Requests in hand.", multiprocess_mode="livesum")
WAITING: Final = Gauge("bff_requests_waiting", "Requests that wait for a saga.", multiprocess_mode="livesum")
_PUBLISHES: Final = Histogram(
    "bff_publish_seconds", "Until the broker confirmed a command, or did not.", ("topic", "result"), buckets=_BUCKETS
)
_CONNECTIONS: Final = Gauge(
    "bff_database_connections_in_use", "Connections that queries hold.", ("database",), multiprocess_mode="livesum"
)


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


def watch(engine: sa.Engine) -> None:
    """Counts the connections of this engine's pool that are in use."""
    in_use = _CONNECTIONS.labels(engine.url.database)
    sa.event.listen(engine, "checkout", lambda *_: in_use.inc())
    sa.event.listen(engine, "checkin", lambda *_: in_use.dec())


def text(open_ordenes: tuple[int, float] | None) -> bytes:
    """All metrics, in Prometheus' text format.

    `open_ordenes`: the number of orders that have not ended, and the age of the oldest in seconds; None if unknown.
    """
    registry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    lines = generate_latest(registry)
    if open_ordenes is not None:
        lines += generate_latest(_OpenOrdenes(*open_ordenes))
    return lines


class _OpenOrdenes(CollectorRegistry):
    """The metrics of open orders. No worker keeps them: what several workers keep would be added up."""

    def __init__(self, count: int, seconds: float) -> None:
        super().__init__()
        self._count, self._seconds = count, seconds

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily("bff_open_orders", "Orders that have not ended.", self._count)
        yield GaugeMetricFamily("bff_oldest_open_order_seconds", "Age of the oldest of them.", self._seconds)
