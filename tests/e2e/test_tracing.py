"""One order's whole trace on a whole platform, whose BFF and functions send their spans to a collector."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.e2e.test_saga import crear_producto, final, registrar_conductores
from tests.plataforma import Plataforma, esperar
from tests.recolector import Recolector, exigir_cadena, recolector

pytestmark = pytest.mark.e2e

CAMINO = {
    "ordenes/crear-orden": "ordenes/comando-crear-orden",
    "productos/disminuir-stock": "productos/comando-disminuir-stock",
    "conductores/asignar-conductor": "conductores/comando-asignar-conductor",
    "ordenes/marcar-listo-despacho": "ordenes/comando-marcar-listo-despacho",
}


@pytest.fixture
def observada(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Plataforma, Recolector]]:
    """A platform of its own: who sends spans, and where to, is in its processes' environment."""
    plataforma = Plataforma(tmp_path_factory.mktemp("spans"))
    with recolector() as (todo, direccion):
        plataforma.entorno |= {"OTEL_EXPORTER_OTLP_ENDPOINT": direccion, "OTEL_BSP_SCHEDULE_DELAY": "100"}
        try:
            plataforma.local("up")
            plataforma.desplegar()
            yield plataforma, todo
        finally:
            plataforma.local("clean")


def test_the_collector_gets_one_trace_of_an_order_from_the_request_to_the_projections(
    observada: tuple[Plataforma, Recolector],
) -> None:
    platform, todo = observada
    id_producto = crear_producto(platform, 1)
    registrar_conductores(platform, 1)
    traceparent = f"00-{uuid4().hex}-00f067aa0ba902b7-01"
    pedido = {"id_producto": id_producto, "user_id": "ana", "cantidad": 1, "direccion_entrega": "Calle 45"}
    _, aceptada, _ = platform.pedir("POST", "/orders", pedido, traceparent=traceparent)
    assert final(platform, aceptada["id_orden"])[0]["estado"] == "iniciada"

    def de_la_orden() -> list[tuple[str, object]]:
        return [(de, span) for de, span in todo.spans if span.trace_id.hex() == traceparent[3:35]]

    # each of four steps also in the saga log, two projections; the stock's, and what was published
    esperar("the spans of all", lambda: {*CAMINO, "bff", "saga/registrar-saga"} <= {de for de, _ in de_la_orden()})
    esperar("both projections", lambda: [de for de, _ in de_la_orden()].count("ordenes/proyectar-orden") == 2)
    esperar("all logged", lambda: [de for de, _ in de_la_orden()].count("saga/registrar-saga") == len(CAMINO))
    exigir_cadena(de_la_orden(), traceparent, CAMINO)
