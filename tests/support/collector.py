"""A collector of OpenTelemetry in this process: what a trace has to be, as OTLP says it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.server import RequestHandler, serving

Spans = list[tuple[str, Any]]
"""Service name and span."""


class Collector:
    """Takes spans over OTLP/HTTP. `spans`: service name, span."""

    def __init__(self) -> None:
        self.spans: Spans = []

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            (service,) = [a.value.string_value for a in resource.resource.attributes if a.key == "service.name"]
            self.spans += [(service, span) for scope in resource.scope_spans for span in scope.spans]


@contextmanager
def running_collector() -> Iterator[tuple[Collector, str]]:
    """And its address."""
    collected = Collector()

    class CollectorHandler(RequestHandler):
        def do_POST(self) -> None:
            collected.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

    with serving(CollectorHandler) as port:
        yield collected, f"http://127.0.0.1:{port}"


def assert_span_chain(spans: Spans, traceparent: str, path: Mapping[str, str]) -> None:
    """One trace, whose root is the request, a child of the caller's; each function's work is a child of the message
    that it took. `path`: functions, and the topic of what each of them takes.
    """
    assert {span.trace_id for _, span in spans} == {bytes.fromhex(traceparent[3:35])}
    by_id = {span.span_id: span for _, span in spans}
    assert len(by_id) == len(spans)
    (root,) = [span for _, span in spans if span.parent_span_id not in by_id]
    assert (root.name, root.parent_span_id) == ("POST /orders", bytes.fromhex(traceparent[36:52]))
    for service, topic in path.items():
        (processed,) = [span for source, span in spans if source == service and span.name == f"process {topic}"]
        cause = by_id[processed.parent_span_id]
        assert cause.name in (f"publish {topic}", "POST /orders")
        assert cause.start_time_unix_nano <= processed.end_time_unix_nano
    projections = [span for source, span in spans if source == "ordenes/proyectar-orden"]
    assert {by_id[span.parent_span_id].name for span in projections} == {"publish ordenes/evento-orden"}
    assert len(projections) == 2
