"""What functions record as sums becomes a histogram on its way into Prometheus."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prometheus_client import CollectorRegistry, Summary, generate_latest

from deployment.local.settings import Settings
from deployment.monitoring.render import write_all
from tests.support.platform import wait_for
from tests.support.prometheus import PrometheusServer, programs, running, speed_up
from tests.support.server import RequestHandler, serving

BOUNDS = ("0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "+Inf")


def recorded_metrics(durations: tuple[float, ...]) -> bytes:
    """What an instance shows that has recorded these sagas as the functions do."""
    registry = CollectorRegistry()
    metric = Summary("pulsar_function_user_metric", "Recorded", ["name", "metric"], registry=registry)
    for duration in durations:
        metric.labels("marcar-listo-despacho", "saga_seconds").observe(duration)
        for bound in BOUNDS:
            if duration <= float(bound):
                metric.labels("marcar-listo-despacho", f"saga_seconds_le_{bound}").observe(1)
    return generate_latest(registry)


@contextmanager
def serving_metrics(text: bytes) -> Iterator[int]:
    """A worker's /metrics; its port."""

    class MetricsHandler(RequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/metrics" else 404)
            self.end_headers()
            self.wfile.write(text)

    with serving(MetricsHandler) as port:
        yield port


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    programs()
    folder = tmp_path_factory.mktemp("prometheus")
    with serving_metrics(recorded_metrics((0.2, 0.2, 0.7, 2.0))) as port:
        env = {"PLATFORM_DATA": str(folder / "data"), "FUNCTIONS_PORT": str(port)}
        write_all(Settings.from_env(env), folder)
        speed_up(folder)
        with running(folder) as server:
            wait_for("the worker's metrics", lambda: server.values("saga_seconds_count"))
            yield server


def test_the_buckets_that_functions_record_are_a_histogram(prometheus: PrometheusServer) -> None:
    buckets = {labels["le"]: value for labels, value in prometheus.values("saga_seconds_bucket")}
    assert buckets == {"0.25": 2, "0.5": 2, "1": 3, "2.5": 4, "5": 4, "10": 4, "30": 4, "+Inf": 4}
    ((_, total),), ((_, count),) = (prometheus.values(f"saga_seconds_{suffix}") for suffix in ("sum", "count"))
    assert total == pytest.approx(3.1)
    assert count == 4


def test_quantiles_follow_from_them(prometheus: PrometheusServer) -> None:
    ((_, median),) = prometheus.values("histogram_quantile(0.5, sum by (le) (saga_seconds_bucket))")
    assert median <= 0.25
    ((_, p90),) = prometheus.values("histogram_quantile(0.9, sum by (le) (saga_seconds_bucket))")
    assert 1 < p90 <= 2.5


def test_nothing_of_it_is_left_among_the_other_metrics(prometheus: PrometheusServer) -> None:
    assert prometheus.values('{__name__=~"pulsar_function_user_metric.*", metric=~"saga_seconds_le_.*"}') == []
