"""One order's whole trace on a whole platform, whose BFF and functions send their spans to a collector."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.e2e.test_saga import crear_producto, final, registrar_conductores
from tests.support.collector import Collector, assert_span_chain, running_collector
from tests.support.platform import Platform, wait_for

pytestmark = pytest.mark.e2e

ROUTE = {
    "ordenes/crear-orden": "ordenes/comando-crear-orden",
    "productos/disminuir-stock": "productos/comando-disminuir-stock",
    "conductores/asignar-conductor": "conductores/comando-asignar-conductor",
    "ordenes/marcar-listo-despacho": "ordenes/comando-marcar-listo-despacho",
}


@pytest.fixture
def traced_platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Platform, Collector]]:
    """A platform of its own: who sends spans, and where to, is in its processes' environment."""
    platform = Platform(tmp_path_factory.mktemp("spans"))
    with running_collector() as (collected, address):
        platform.env |= {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        try:
            platform.local("up")
            platform.deploy()
            yield platform, collected
        finally:
            platform.local("clean")


def test_the_collector_gets_one_trace_of_an_order_from_the_request_to_the_projections(
    traced_platform: tuple[Platform, Collector],
) -> None:
    platform, collected = traced_platform
    id_producto = crear_producto(platform, 1)
    registrar_conductores(platform, 1)
    traceparent = f"00-{uuid4().hex}-00f067aa0ba902b7-01"
    request = {"id_producto": id_producto, "user_id": "ana", "cantidad": 1, "direccion_entrega": "Calle 45"}
    _, accepted, _ = platform.request("POST", "/orders", request, traceparent=traceparent)
    assert final(platform, accepted["id_orden"])[0]["estado"] == "iniciada"

    def orden_spans() -> list[tuple[str, object]]:
        return [(source, span) for source, span in collected.spans if span.trace_id.hex() == traceparent[3:35]]

    # each of four steps also in the saga log, two projections; the stock's, and what was published
    wait_for(
        "the spans of all", lambda: {*ROUTE, "bff", "saga/registrar-saga"} <= {source for source, _ in orden_spans()}
    )
    wait_for("both projections", lambda: [source for source, _ in orden_spans()].count("ordenes/proyectar-orden") == 2)
    wait_for("all logged", lambda: [source for source, _ in orden_spans()].count("saga/registrar-saga") == len(ROUTE))
    assert_span_chain(orden_spans(), traceparent, ROUTE)
