"""A collector of OpenTelemetry in this process: what a trace has to be, as OTLP says it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.servidor import Peticion, sirviendo

Spans = list[tuple[str, Any]]
"""Service name and span."""


class Recolector:
    """Takes spans over OTLP/HTTP. `spans`: service name, span."""

    def __init__(self) -> None:
        self.spans: Spans = []

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


def exigir_cadena(spans: Spans, traceparent: str, camino: Mapping[str, str]) -> None:
    """One trace, whose root is the request, a child of the caller's; each function's work is a child of the message
    that it took. `camino`: functions, and the topic of what each of them takes.
    """
    assert {span.trace_id for _, span in spans} == {bytes.fromhex(traceparent[3:35])}
    por_id = {span.span_id: span for _, span in spans}
    assert len(por_id) == len(spans)
    (raiz,) = [span for _, span in spans if span.parent_span_id not in por_id]
    assert (raiz.name, raiz.parent_span_id) == ("POST /orders", bytes.fromhex(traceparent[36:52]))
    for servicio, topic in camino.items():
        (hecho,) = [span for de, span in spans if de == servicio and span.name == f"process {topic}"]
        causa = por_id[hecho.parent_span_id]
        assert causa.name in (f"publish {topic}", "POST /orders")
        assert causa.start_time_unix_nano <= hecho.end_time_unix_nano
    proyectados = [span for de, span in spans if de == "ordenes/proyectar-orden"]
    assert {por_id[span.parent_span_id].name for span in proyectados} == {"publish ordenes/evento-orden"}
    assert len(proyectados) == 2
