"""Where the time of a single order goes, hop by hop, as the spans of all services tell it.

Their sending costs time too: compare hops with each other, not the sum with other measurements.
"""

import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final
from uuid import uuid4

from tests.load import requests, seeding
from tests.load.bench import Bench
from tests.load.figures import log, percentile
from tests.load.requests import Connection
from tests.support.collector import Collector, Spans, running_collector
from tests.support.platform import Platform, wait_for

ORDERS: Final = 200
WARM_UP: Final = 100
STEPS: Final = (
    *("ordenes/crear-orden", "productos/disminuir-stock", "conductores/asignar-conductor"),
    *("ordenes/marcar-listo-despacho", "ordenes/proyectar-orden"),
)
"""The functions that an order goes through until its end can be read; the last one projects the last event."""
SPANS: Final = 1 + 4 + 4 + 2
"""That an order has at least: the request's, the work of the four, what they publish, two projections."""


def measure(bench: Bench) -> dict[str, Any]:
    """On a platform of its own: who sends spans, and where to, is in its processes' environment."""
    with _traced_platform() as (platform, collected):
        productos = seeding.productos(platform)
        seeding.conductores(platform, ORDERS + WARM_UP)
        log(f"{ORDERS} single orders, traced, after {WARM_UP} …")
        connection = Connection(Bench(platform, bench.sizes).bff)
        waited: dict[str, float] = {}
        for number in range(ORDERS + WARM_UP):
            trace_id = uuid4().hex
            traceparent = f"00-{trace_id}-00f067aa0ba902b7-01"
            raw = requests.orden(productos[0], number, Prefer="wait=10", traceparent=traceparent)
            started = time.monotonic()
            status, body = connection.request(raw)
            if number >= WARM_UP:
                waited[trace_id] = time.monotonic() - started
            assert (status, json.loads(body).get("estado")) == (200, "iniciada"), body
        connection.close()
        wait_for("the spans", lambda: len(_by_trace(collected.spans, waited)) == ORDERS)
        traces = _by_trace(collected.spans, waited)
    hops = [_hops(spans) for spans in traces.values()]
    return {
        "ordenes": ORDERS,
        "espera_us": 1e6 * median(waited.values()),
        "saltos": {name: _figures([orden[name] for orden in hops]) for name in hops[0]},
    }


@contextmanager
def _traced_platform() -> Iterator[tuple[Platform, Collector]]:
    platform = Platform(Path(tempfile.mkdtemp(prefix="bench-trace-")).resolve())
    with running_collector() as (collected, address):
        platform.env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_BSP_SCHEDULE_DELAY": "500"}
        try:
            log("a platform that sends spans …")
            platform.local("up")
            platform.deploy()
            yield platform, collected
        finally:
            platform.local("clean")


def _by_trace(spans: Spans, wanted: Mapping[str, float]) -> dict[str, Spans]:
    """The spans of each of these traces that is complete."""
    found: dict[str, Spans] = defaultdict(list)
    for source, span in list(spans):
        if (trace_id := span.trace_id.hex()) in wanted:
            found[trace_id].append((source, span))
    return {
        trace_id: those
        for trace_id, those in found.items()
        if [source for source, _ in those].count(STEPS[-1]) == 2
        and {"bff", *STEPS} <= {source for source, _ in those}
        and len(those) >= SPANS
    }


def _hops(spans: Spans) -> dict[str, float]:
    """Microseconds of each hop of one order, in order."""
    by_id = {span.span_id: span for _, span in spans}
    work = {source: span for source, span in sorted(spans, key=lambda s: s[1].start_time_unix_nano) if _is_work(span)}
    published: dict[bytes, int] = {}
    for _, span in spans:
        if span.name.startswith("publish "):
            published[span.parent_span_id] = span.end_time_unix_nano
    hops: dict[str, float] = {}
    for step in STEPS:
        span = work[step]
        name, cause = step.partition("/")[2], by_id[span.parent_span_id]
        committed = published.get(span.span_id, span.end_time_unix_nano)
        hops[f"{name}: from the commit before until it begins"] = span.start_time_unix_nano - cause.end_time_unix_nano
        hops[f"{name}: its transaction"] = committed - span.start_time_unix_nano
        if committed < span.end_time_unix_nano:
            hops[f"{name}: from its commit until all is confirmed"] = span.end_time_unix_nano - committed
    return {name: nanoseconds / 1000 for name, nanoseconds in hops.items()}


def _is_work(span: Any) -> bool:
    return bool(span.name.startswith("process "))


def _figures(microseconds: Sequence[float]) -> dict[str, float]:
    return {"p50_us": median(microseconds), "p95_us": percentile(microseconds, 95)}
