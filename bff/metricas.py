"""What Prometheus is told; of all workers together if they share a folder, PROMETHEUS_MULTIPROC_DIR."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

import sqlalchemy as sa
from flask import Request
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, REGISTRY, CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

TIPO: Final = CONTENT_TYPE_PLAIN_0_0_4
_LIMITES: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10)

PETICIONES: Final = Histogram(
    "bff_request_seconds", "Requests, until their answer was made.", ("method", "route", "status"), buckets=_LIMITES
)
EN_CURSO: Final = Gauge("bff_requests_in_progress", "Requests in hand.", multiprocess_mode="livesum")
ESPERAS: Final = Gauge("bff_requests_waiting", "Requests that wait for a saga.", multiprocess_mode="livesum")
_PUBLICACIONES: Final = Histogram(
    "bff_publish_seconds", "Until the broker confirmed a command, or did not.", ("topic", "result"), buckets=_LIMITES
)
_CONEXIONES: Final = Gauge(
    "bff_database_connections_in_use", "Connections that queries hold.", ("database",), multiprocess_mode="livesum"
)


def ruta(peticion: Request) -> str:
    """The route as the OpenAPI document writes it; "unknown" if there is none."""
    return "unknown" if peticion.url_rule is None else _ruta(peticion.url_rule.rule)


@cache
def _ruta(regla: str) -> str:
    return regla.replace("<uuid:", "{").replace(">", "}")


@contextmanager
def publicacion(topic: str) -> Iterator[None]:
    """Measures the publication inside."""
    inicio, resultado = time.perf_counter(), "failed"
    try:
        yield
        resultado = "confirmed"
    finally:
        _PUBLICACIONES.labels(topic, resultado).observe(time.perf_counter() - inicio)


def vigilar(motor: sa.Engine) -> None:
    """Counts the connections of a pool that are in use."""
    en_uso = _CONEXIONES.labels(motor.url.database)
    sa.event.listen(motor, "checkout", lambda *_: en_uso.inc())
    sa.event.listen(motor, "checkin", lambda *_: en_uso.dec())


def texto(abiertas: tuple[int, float] | None) -> bytes:
    """`abiertas`: orders that have not ended, and the age of the oldest in s; None if nobody knows."""
    registro = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registro = CollectorRegistry()
        MultiProcessCollector(registro)  # type: ignore[no-untyped-call]
    return generate_latest(registro) + (generate_latest(_Abiertas(*abiertas)) if abiertas else b"")


class _Abiertas(CollectorRegistry):
    """No worker's own figures, which would be added up."""

    def __init__(self, cuantas: int, segundos: float) -> None:
        super().__init__()
        self._cuantas, self._segundos = cuantas, segundos

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily("bff_open_orders", "Orders that have not ended.", self._cuantas)
        yield GaugeMetricFamily("bff_oldest_open_order_seconds", "Age of the oldest of them.", self._segundos)
