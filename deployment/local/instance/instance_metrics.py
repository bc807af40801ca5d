"""Stats → Prometheus, with the names and labels that the worker merges into the broker's own /metrics."""

from collections.abc import Iterable, Iterator

from prometheus_client import REGISTRY, Metric, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector

from instance_stats import Counts, Failures, Stats

PREFIX = "pulsar_function_"
LABELS = ("tenant", "namespace", "name", "instance_id", "cluster", "fqfn")
COUNTERS = {
    "received": "Messages received from the source",
    "processed_successfully": "Messages processed successfully",
    "system_exceptions": "Exceptions outside the function",
    "user_exceptions": "Exceptions that the function raised",
}
LATENCY = "process_latency_ms"


def serve(port: int, collector: Collector) -> None:
    """On loopback; the worker asks the address of its host's name, so that must be loopback for it."""
    REGISTRY.register(collector)
    start_http_server(port, "127.0.0.1")


class StatsCollector(Collector):
    """Reads the figures at each scrape."""

    def __init__(self, stats: Stats, values: tuple[str, ...]) -> None:
        self._stats = stats
        self._values = values

    def collect(self) -> Iterator[Metric]:
        stats = self._stats
        yield from self._counts(stats.total, "", "")
        yield from self._counts(stats.minute, "_1min", " in the running minute")
        invoked = GaugeMetricFamily(PREFIX + "last_invocation", "When process was last called", labels=LABELS)
        invoked.add_metric(self._values, stats.last_invocation)
        yield invoked
        yield self._failures("user_exception", stats.user_failures)
        yield self._failures("system_exception", stats.system_failures)
        recorded = ((m.count, m.sum, m.created, (name,)) for name, m in list(stats.user_metrics.items()))
        yield self._summary("user_metric", "Recorded by the function", recorded, ("metric",))

    def _counts(self, counts: Counts, suffix: str, window: str) -> Iterator[Metric]:
        for name, text in COUNTERS.items():
            counter = CounterMetricFamily(f"{PREFIX}{name}{suffix}", text + window, labels=LABELS)
            counter.add_metric(self._values, getattr(counts, name), created=self._stats.created)
            yield counter
        figures = [(counts.latency_count, counts.latency_sum, self._stats.created, ())]
        yield self._summary(LATENCY + suffix, "Milliseconds in process" + window, figures)

    def _summary(
        self,
        name: str,
        text: str,
        figures: Iterable[tuple[int, float, float, tuple[str, ...]]],
        more: tuple[str, ...] = (),
    ) -> Metric:
        names = LABELS + more
        summary = SummaryMetricFamily(PREFIX + name, text, labels=names)
        for count, total, created, extra in figures:
            values = self._values + extra
            summary.add_metric(values, count, total)
            summary.add_sample(f"{PREFIX}{name}_created", dict(zip(names, values, strict=True)), created)
        return summary

    def _failures(self, name: str, failures: Failures) -> Metric:
        gauge = GaugeMetricFamily(PREFIX + name, "Exceptions by their text", labels=(*LABELS, "error"))
        for error, value in list(failures.reported.items()):
            gauge.add_metric((*self._values, error), value)
        return gauge
