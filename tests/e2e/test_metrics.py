"""What rules and dashboards ask for is what a real Prometheus gets from a real platform."""

import re
from contextlib import suppress
from typing import Final

import pytest

from tests.e2e.test_saga import crear_producto, final, pedir_orden, registrar_conductores
from tests.plataforma import Plataforma, esperar
from tests.prometheus import Servidor, metricas, metricas_propias

pytestmark = pytest.mark.e2e

DE_OTROS: Final = {"node_filesystem_avail_bytes", "node_filesystem_size_bytes"}
"""Of node_exporter."""
TRAS_UN_RECHAZO: Final = {"pulsar_schema_incompatible_total", "pulsar_schema_incompatible_created"}
"""The broker's, from its first refusal of a schema on."""


def test_every_metric_that_rules_and_dashboards_ask_for_exists(platform: Plataforma, prometheus: Servidor) -> None:
    id_producto = crear_producto(platform, 1)
    registrar_conductores(platform, 1)
    final(platform, pedir_orden(platform, id_producto))
    final(platform, pedir_orden(platform, id_producto))  # sold out

    def faltan() -> set[str]:
        nombres = set(prometheus.pedir("/api/v1/label/__name__/values"))
        propias = set(prometheus.pedir("/api/v1/label/metric/values"))
        sin = {m for m in metricas_propias() if not any(re.fullmatch(m, p) for p in propias)}
        return (metricas() - DE_OTROS - TRAS_UN_RECHAZO - nombres) | sin

    with suppress(AssertionError):
        esperar("every metric", lambda: not faltan())
    assert faltan() == set()
