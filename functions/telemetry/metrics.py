"""User metrics of the functions, for Prometheus: `pulsar_function_user_metric{metric="…"}`.

They are recorded after the commit, so that each effect counts once: a process that dies in between loses some, and
never counts one twice. Of a counter read the sum; of a time or size the count is the number of batches.
"""

import time
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from functions.messages.envelope import Message
from functions.messages.payloads import EventoOrden, Payload

DUPLICATES: Final = "duplicates"
QUARANTINED: Final = "quarantined"
INFRASTRUCTURE_FAILURES: Final = "infrastructure_failures"
SCHEMA_REFUSALS: Final = "schema_refusals"
SKEWED_DURATIONS: Final = "skewed_durations"
"""Orders that ended before they were placed, by clocks of two hosts that differ: their duration is unknown."""
BOUNDS: Final = ("0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "+Inf")
"""Upper bounds of the histogram's buckets, in seconds, ascending. Pulsar has no histograms: each bucket of
`saga_seconds` is a metric of its own, and a recording rule of Prometheus joins them.
"""
_BUCKETS: Final = {f"saga_seconds_le_{bound}": float(bound) for bound in BOUNDS}
MAX_REASONS: Final = 20
"""Reasons of compensations that get a metric of their own, at most: whoever may publish can invent more."""


class Metrics:
    """Records the metrics of one function instance. `record(name, value)` is the context's `record_metric`."""

    def __init__(self, record: Callable[[str, float], None]) -> None:
        self.record = record
        self._reasons: set[str] = set()
        # Prometheus sees an increase only of a counter that was there before
        for counter in (DUPLICATES, QUARANTINED, INFRASTRUCTURE_FAILURES, SCHEMA_REFUSALS, SKEWED_DURATIONS):
            record(counter, 0)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Records how long the block took, in seconds, unless it raises."""
        started = time.perf_counter()
        yield
        self.record(name, time.perf_counter() - started)

    def record_decisions(self, causes: Sequence[Message[Payload]], decisions: Sequence[Sequence[Payload]]) -> None:
        """Counts the orders that came into each state, why they failed, and how long after the request the saga of each
        ended, from the outputs `decisions` of the messages `causes`.
        """
        now = time.time()
        counts = Counter[str]()
        durations: list[float] = []
        for cause, outputs in zip(causes, decisions, strict=True):
            for orden in outputs:
                if isinstance(orden, EventoOrden):
                    counts[f"orders_{orden.estado}"] += 1
                    if orden.estado in ("iniciada", "fallida"):
                        durations.append(now - cause.ingestion / 1000)
                    if orden.estado == "fallida" and orden.motivo is not None:
                        counts[f"compensations_{self._reason_metric(orden.motivo)}"] += 1
        for name, count in counts.items():
            self.record(name, count)
        durations.sort()
        skewed = bisect_left(durations, 0)
        if skewed:
            self.record(SKEWED_DURATIONS, skewed)
        self._record_durations(durations[skewed:])

    def _record_durations(self, durations: Sequence[float]) -> None:
        """Records durations in seconds, ascending: all of them, and how many each bucket holds."""
        for seconds in durations:
            self.record("saga_seconds", seconds)
        for name, bound in _BUCKETS.items():
            if count := bisect_right(durations, bound):
                self.record(name, count)

    def _reason_metric(self, motivo: str) -> str:
        name = "_".join("".join(c if c.isalnum() else " " for c in motivo.lower()).split())[:40]
        if len(self._reasons) < MAX_REASONS:
            self._reasons.add(name)
        return name if name in self._reasons else "otros"
