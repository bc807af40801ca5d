"""One order's whole trace, from the request to the projections, as a collector of OpenTelemetry gets it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bff.app import crear_app
from functions.comun import rastreo
from functions.comun.codec import Publicacion
from tests.datos import un_producto
from tests.fakes import LecturasFalsas
from tests.mundo import Mundo
from tests.plataforma import Plataforma
from tests.servidor import Peticion, sirviendo

LLEGA = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRAZA, LLAMADOR = bytes.fromhex(LLEGA[3:35]), bytes.fromhex(LLEGA[36:52])
CAMINO = {
    "ordenes/crear-orden": "ordenes/comando-crear-orden",
    "productos/disminuir-stock": "productos/comando-disminuir-stock",
    "ordenes/revertir-orden-creada": "ordenes/comando-revertir-orden-creada",
}
"""What an order of an unknown product goes through: function, and the topic of what it takes."""


class Recolector:
    """Takes spans over OTLP/HTTP. `spans`: service name, span."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Any]] = []

    def tomar(self, cuerpo: bytes) -> None:
        for recurso in ExportTraceServiceRequest.FromString(cuerpo).resource_spans:
            (servicio,) = [a.value.string_value for a in recurso.resource.attributes if a.key == "service.name"]
            self.spans += [(servicio, span) for ambito in recurso.scope_spans for span in ambito.spans]


@contextmanager
def recolector() -> Iterator[tuple[Recolector, str]]:
    """And its address."""
    todo = Recolector()

    class Puerta(Peticion):
        def do_POST(self) -> None:
            todo.tomar(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

    with sirviendo(Puerta) as puerto:
        yield todo, f"http://127.0.0.1:{puerto}"


class AlMundo:
    """Publishes for the BFF."""

    def __init__(self, mundo: Mundo) -> None:
        self._mundo = mundo

    def publicar(self, mensaje: Publicacion) -> None:
        self._mundo.broker.guardar(mensaje.topic, mensaje.crudo, dict(mensaje.propiedades))

    def comprobar(self) -> None: ...


def pedir(mundo: Mundo, traceparent: str) -> None:
    """One order of a product that there is not, until its saga has ended."""
    rastros = rastreo.conectar("bff")
    app = crear_app(AlMundo(mundo), LecturasFalsas(), rastros=rastros)
    cuerpo = {
        "id_producto": str(un_producto().id_producto),
        "user_id": "ana",
        "cantidad": 2,
        "direccion_entrega": "Calle 45",
    }
    assert app.test_client().post("/orders", json=cuerpo, headers={"traceparent": traceparent}).status_code == 202
    mundo.correr()
    mundo.cerrar()
    if rastros:
        rastros.cerrar()


def test_every_step_of_an_order_is_a_child_of_what_caused_it(
    bases: Plataforma, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recolector() as (todo, direccion):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", direccion)
        pedir(Mundo(bases), LLEGA)
    assert {span.trace_id for _, span in todo.spans} == {TRAZA}
    por_id = {span.span_id: (servicio, span) for servicio, span in todo.spans}
    assert len(por_id) == len(todo.spans)
    (raiz,) = [span for _, span in todo.spans if span.parent_span_id not in por_id]
    assert (raiz.name, raiz.parent_span_id) == ("POST /orders", LLAMADOR)
    for servicio, topic in CAMINO.items():
        (hecho,) = [span for de, span in todo.spans if de == servicio and span.name == f"process {topic}"]
        causa = por_id[hecho.parent_span_id][1]
        assert causa.name in (f"publish {topic}", "POST /orders")
        assert causa.start_time_unix_nano <= hecho.end_time_unix_nano
    proyectados = [span for de, span in todo.spans if de == "ordenes/proyectar-orden"]
    assert {por_id[span.parent_span_id][1].name for span in proyectados} == {"publish ordenes/evento-orden"}
    assert len(proyectados) == 2


def test_a_trace_that_nobody_records_is_not_exported(bases: Plataforma, monkeypatch: pytest.MonkeyPatch) -> None:
    with recolector() as (todo, direccion):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", direccion)
        pedir(Mundo(bases), LLEGA.removesuffix("01") + "00")
    assert todo.spans == []


def test_without_a_collector_there_is_no_exporter(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in rastreo.VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    assert rastreo.conectar("bff") is None


def test_packages_that_are_missing_are_said_so_and_nothing_else_happens(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    assert rastreo.conectar("bff") is None
    assert "pip install opentelemetry-sdk" in caplog.text
