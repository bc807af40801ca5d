"""What rules and dashboards ask for is what a real Prometheus gets from a real platform."""

import re
from contextlib import suppress
from typing import Final

import pytest

from tests.e2e.test_saga import crear_producto, final, registrar_conductores, request_orden
from tests.support.platform import Platform, wait_for
from tests.support.prometheus import PrometheusServer, function_metric_patterns, metrics

pytestmark = pytest.mark.e2e

NODE_EXPORTER_METRICS: Final = {"node_filesystem_avail_bytes", "node_filesystem_size_bytes"}
"""Of node_exporter."""
METRICS_AFTER_REFUSAL: Final = {"pulsar_schema_incompatible_total", "pulsar_schema_incompatible_created"}
"""The broker's, from its first refusal of a schema on."""


def test_every_metric_that_rules_and_dashboards_ask_for_exists(
    platform: Platform, prometheus: PrometheusServer
) -> None:
    id_producto = crear_producto(platform, 1)
    registrar_conductores(platform, 1)
    final(platform, request_orden(platform, id_producto))
    final(platform, request_orden(platform, id_producto))  # sold out

    def absent() -> set[str]:
        names = set(prometheus.request("/api/v1/label/__name__/values"))
        stored = set(prometheus.request("/api/v1/label/metric/values"))
        missing = {m for m in function_metric_patterns() if not any(re.fullmatch(m, p) for p in stored)}
        return (metrics() - NODE_EXPORTER_METRICS - METRICS_AFTER_REFUSAL - names) | missing

    with suppress(AssertionError):
        wait_for("every metric", lambda: not absent())
    assert absent() == set()
