"""Spans for OpenTelemetry, if OTEL_EXPORTER_OTLP_ENDPOINT names a collector and its packages are there; else nothing.

The packages are opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http, whose other OTEL_… settings hold too. A
message is a span, whose id its `traceparent` carries; what a function does with it is another one, its child.
"""

import hashlib
import logging
import os
import time
from collections.abc import Sequence
from typing import Final

from functions.comun.codec import Publicacion
from functions.comun.ids import Id, en_bytes
from functions.comun.mensajes import Datos, Mensaje
from functions.comun.traza import PROPIEDAD, Traza, span_de

VARIABLES: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_log = logging.getLogger(__name__)


def conectar(servicio: str) -> "Rastreador | None":
    """None if nobody wants spans. To be called after any fork: it starts a thread."""
    if not any(os.environ.get(variable) for variable in VARIABLES):
        return None
    try:
        return Rastreador(servicio)
    except ImportError as error:
        _log.warning("no spans: pip install opentelemetry-sdk opentelemetry-exporter-otlp-proto-http (%s)", error)
        return None


class Rastreador:
    """Sends spans from a thread of its own; drops them if the collector is away. Times are in ns since 1970."""

    def __init__(self, servicio: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        self._servicio = servicio
        self._recurso = Resource.create({"service.name": servicio})
        self._envio = BatchSpanProcessor(OTLPSpanExporter())

    def peticion(self, nombre: str, encargada: Publicacion, traza: Traza, padre: int | None, inicio: int) -> None:
        """A request and the message that it became: one span. `padre`: the caller's."""
        self._anotar(nombre, "SERVER", traza, _span(encargada), padre, encargada.topic, inicio)

    def proceso(self, topic: str, mensaje: Mensaje[Datos], inicio: int, fallo: str | None) -> None:
        """What a function has done with a message. `fallo`: why it could not."""
        propio, padre = self._proceso(mensaje.id), int(span_de(mensaje.id), 16)
        self._anotar(f"process {topic}", "CONSUMER", mensaje.traza, propio, padre, topic, inicio, fallo)

    def salidas(self, causa: Mensaje[Datos], publicaciones: Sequence[Publicacion], inicio: int) -> None:
        """What a message has led to."""
        padre = self._proceso(causa.id)
        for salida in publicaciones:
            self._anotar(f"publish {salida.topic}", "PRODUCER", causa.traza, _span(salida), padre, salida.topic, inicio)

    def cerrar(self) -> None:
        """Sends what waits."""
        self._envio.shutdown()  # type: ignore[no-untyped-call]

    def _proceso(self, id_mensaje: Id) -> int:
        """The same if the message comes again."""
        return int.from_bytes(hashlib.sha256(en_bytes(id_mensaje) + self._servicio.encode()).digest()[:8], "big")

    def _anotar(
        self, nombre: str, clase: str, traza: Traza | None, propio: int, padre: int | None, topic: str, inicio: int,
        fallo: str | None = None,
    ) -> None:  # fmt: skip
        """A span that ends now, of a trace that somebody records, as its flags say."""
        if traza is None or not int(traza.marcas, 16) & 1:
            return
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

        marcas, id_traza = TraceFlags(TraceFlags.SAMPLED), int(traza.id, 16)
        span = ReadableSpan(
            nombre,
            SpanContext(id_traza, propio, False, marcas),
            SpanContext(id_traza, padre, True, marcas) if padre else None,
            self._recurso,
            {"messaging.system": "pulsar", "messaging.destination.name": topic},
            kind=SpanKind[clase],
            status=Status(StatusCode.ERROR, fallo) if fallo else Status(StatusCode.UNSET),
            start_time=inicio,
            end_time=time.time_ns(),
        )
        self._envio.on_end(span)


def _span(publicacion: Publicacion) -> int:
    """A message's own, as its property says; 0 if it belongs to no trace."""
    return int(publicacion.propiedades.get(PROPIEDAD, "0-0-0-0").split("-")[2], 16)
