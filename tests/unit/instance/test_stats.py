"""The figures of the Python instance, and their names in Prometheus."""

import re
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest

from tests.unit.instance.modules import config, module

LABELS = {"tenant", "namespace", "name", "instance_id", "cluster", "fqfn"}


def stats() -> Any:
    return module("instance_stats").Stats()


def exposed(figures: Any) -> dict[str, str]:
    """Name with labels → value."""
    registry = CollectorRegistry()
    registry.register(module("instance_metrics").StatsCollector(figures, config().metric_labels))
    lines = generate_latest(registry).decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_names_and_labels_are_upstreams() -> None:
    figures = stats()
    figures.received()
    figures.record("size", 2)
    names: dict[str, set[str]] = {}
    for line in exposed(figures):
        name, labels = line.removesuffix("}").split("{")
        names[name] = set(re.findall(r'(\w+)="', labels))
    counters = ("received", "processed_successfully", "system_exceptions", "user_exceptions")
    for window in ("", "_1min"):
        for name in (f"{counter}{window}_total" for counter in counters):
            assert names.pop(f"pulsar_function_{name}") == LABELS
        for part in ("sum", "count"):
            assert names.pop(f"pulsar_function_process_latency_ms{window}_{part}") == LABELS
    assert names.pop("pulsar_function_last_invocation") == LABELS
    assert names.pop("pulsar_function_user_metric_sum") == LABELS | {"metric"}
    assert names.pop("pulsar_function_user_metric_count") == LABELS | {"metric"}
    assert all(name.endswith("_created") for name in names), names


def test_a_new_minute_begins_at_zero_and_leaves_the_totals() -> None:
    figures = stats()
    figures.received()
    figures.took(5.0)
    figures.new_minute()
    figures.took(7.0)
    assert (figures.total.received, figures.minute.received) == (1, 0)
    assert (figures.total.average_latency, figures.minute.average_latency) == (6.0, 7.0)


def test_only_a_few_exceptions_a_minute_become_label_values() -> None:
    figures = stats()
    for number in range(20):
        figures.user_exception(ValueError(f"number {number}"))
    gauges = [line for line in exposed(figures) if line.startswith("pulsar_function_user_exception{")]
    assert len(gauges) == 5
    assert 'error="number 0"' in gauges[0]
    assert figures.total.user_exceptions == 20
    latest = [text.splitlines()[-1] for text, _ in figures.user_failures.latest]
    assert latest == [f"ValueError: number {number}" for number in range(10, 20)]
