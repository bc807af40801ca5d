"""What functions record as sums becomes a histogram on its way into Prometheus."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from prometheus_client import CollectorRegistry, Summary, generate_latest

from deployment.local.settings import Settings
from deployment.monitoring.render import write_all
from tests.plataforma import esperar
from tests.prometheus import Servidor, apurar, corriendo, programas
from tests.servidor import Peticion, sirviendo

LIMITES = ("0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "+Inf")


def grabado(duraciones: tuple[float, ...]) -> bytes:
    """What an instance shows that has recorded these sagas as the functions do."""
    registro = CollectorRegistry()
    metrica = Summary("pulsar_function_user_metric", "Recorded", ["name", "metric"], registry=registro)
    for duracion in duraciones:
        metrica.labels("marcar-listo-despacho", "saga_seconds").observe(duracion)
        for limite in LIMITES:
            if duracion <= float(limite):
                metrica.labels("marcar-listo-despacho", f"saga_seconds_le_{limite}").observe(1)
    return generate_latest(registro)


@contextmanager
def mostrando(texto: bytes) -> Iterator[int]:
    """A worker's /metrics; its port."""

    class Metricas(Peticion):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/metrics" else 404)
            self.end_headers()
            self.wfile.write(texto)

    with sirviendo(Metricas) as puerto:
        yield puerto


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servidor]:
    programas()
    carpeta = tmp_path_factory.mktemp("prometheus")
    with mostrando(grabado((0.2, 0.2, 0.7, 2.0))) as puerto:
        entorno = {"PLATFORM_DATA": str(carpeta / "data"), "FUNCTIONS_PORT": str(puerto)}
        write_all(Settings.from_env(entorno), carpeta)
        apurar(carpeta)
        with corriendo(carpeta) as servidor:
            esperar("the worker's metrics", lambda: servidor.valores("saga_seconds_count"))
            yield servidor


def test_the_buckets_that_functions_record_are_a_histogram(prometheus: Servidor) -> None:
    cubetas = {etiquetas["le"]: valor for etiquetas, valor in prometheus.valores("saga_seconds_bucket")}
    assert cubetas == {"0.25": 2, "0.5": 2, "1": 3, "2.5": 4, "5": 4, "10": 4, "30": 4, "+Inf": 4}
    ((_, suma),), ((_, cuenta),) = (prometheus.valores(f"saga_seconds_{que}") for que in ("sum", "count"))
    assert suma == pytest.approx(3.1)
    assert cuenta == 4


def test_quantiles_follow_from_them(prometheus: Servidor) -> None:
    ((_, mediana),) = prometheus.valores("histogram_quantile(0.5, sum by (le) (saga_seconds_bucket))")
    assert mediana <= 0.25
    ((_, p90),) = prometheus.valores("histogram_quantile(0.9, sum by (le) (saga_seconds_bucket))")
    assert 1 < p90 <= 2.5


def test_nothing_of_it_is_left_among_the_other_metrics(prometheus: Servidor) -> None:
    assert prometheus.valores('{__name__=~"pulsar_function_user_metric.*", metric=~"saga_seconds_le_.*"}') == []
