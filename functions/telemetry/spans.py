"""Spans for OpenTelemetry, if OTEL_EXPORTER_OTLP_ENDPOINT names a collector and the packages are installed; else none.

The packages are opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http, whose other OTEL_… settings hold too. A
message is a span, whose id its `traceparent` carries; what a function does with the message is another span, its child.
"""

import hashlib
import logging
import os
import time
from collections.abc import Sequence
from typing import Final

from functions.messages.envelope import Message
from functions.messages.ids import Id, to_bytes
from functions.messages.outgoing import Outgoing
from functions.messages.payloads import Payload
from functions.messages.trace import PROPERTY, Trace, span_of

VARIABLES: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_log = logging.getLogger(__name__)


def connect(service: str) -> "Tracer | None":
    """The tracer of a service; None if no collector is configured. Call it after any fork: it starts a thread."""
    if not any(os.environ.get(variable) for variable in VARIABLES):
        return None
    try:
        return Tracer(service)
    except ImportError as error:
        _log.warning("no spans: pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http (%s)", error)
        return None


class Tracer:
    """Sends spans to the collector from a thread of its own, and drops them while the collector is unavailable: nothing
    waits for it, and no span is promised to arrive. Times are in ns since 1970-01-01 UTC.
    """

    def __init__(self, service: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        self._service = service
        self._resource = Resource.create({"service.name": service})
        self._exporter = BatchSpanProcessor(OTLPSpanExporter())

    def request(self, name: str, requested: Outgoing, trace: Trace, parent_id: int | None, started: int) -> None:
        """Records one span for an HTTP request and the message that it became. `parent_id`: the caller's span,
        or None.
        """
        self._record(name, "SERVER", trace, _span(requested), parent_id, requested.topic, started)

    def process(self, topic: str, message: Message[Payload], started: int, failure: str | None) -> None:
        """Records a span for what a function did with a message. `failure`: why it failed, None if it did not."""
        span_id = self._process_span_id(message.id)
        parent_id = int(span_of(message.id), 16)
        self._record(f"process {topic}", "CONSUMER", message.trace, span_id, parent_id, topic, started, failure)

    def outputs(self, cause: Message[Payload], outgoing_messages: Sequence[Outgoing], started: int) -> None:
        """Records a span for each message that `cause` has led to."""
        parent_id = self._process_span_id(cause.id)
        for output in outgoing_messages:
            self._record(
                f"publish {output.topic}", "PRODUCER", cause.trace, _span(output), parent_id, output.topic, started
            )

    def close(self) -> None:
        """Sends the spans that wait, and ends the thread."""
        self._exporter.shutdown()  # type: ignore[no-untyped-call]

    def _process_span_id(self, id_mensaje: Id) -> int:
        """The id of the span of this service's work on a message: the same when the message is redelivered."""
        return int.from_bytes(hashlib.sha256(to_bytes(id_mensaje) + self._service.encode()).digest()[:8], "big")

    def _record(
        self,
        name: str,
        span_kind: str,
        trace: Trace | None,
        span_id: int,
        parent_id: int | None,
        topic: str,
        started: int,
        failure: str | None = None,
    ) -> None:
        """Sends a span that ends now, if the flags of its trace say that somebody records it."""
        if trace is None or not int(trace.flags, 16) & 1:
            return
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

        flags, trace_id = TraceFlags(TraceFlags.SAMPLED), int(trace.id, 16)
        span = ReadableSpan(
            name,
            SpanContext(trace_id, span_id, False, flags),
            SpanContext(trace_id, parent_id, True, flags) if parent_id else None,
            self._resource,
            {"messaging.system": "pulsar", "messaging.destination.name": topic},
            kind=SpanKind[span_kind],
            status=Status(StatusCode.ERROR, failure) if failure else Status(StatusCode.UNSET),
            start_time=started,
            end_time=time.time_ns(),
        )
        self._exporter.on_end(span)


def _span(outgoing: Outgoing) -> int:
    """The id of a message's span, as its `traceparent` says; 0 if it belongs to no trace."""
    return int(outgoing.properties.get(PROPERTY, "0-0-0-0").split("-")[2], 16)
