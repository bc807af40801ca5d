"""Pulsar, for whoever publishes: producers with the topics' schemas, and confirmed sends."""

import json
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from itertools import count
from queue import Empty, SimpleQueue
from typing import Any, Final, TypeVar

import _pulsar
import pulsar
from pulsar.schema import BytesSchema, Schema

from functions.comun.codec import BYTES_MAXIMOS, Codec, Publicacion, analizar, codec
from functions.comun.inmutable import inmutable
from functions.comun.mensajes import TIPOS, Datos, Mensaje, MensajeInvalido
from functions.comun.traza import PROPIEDAD, Traza, leer

TENANT: Final = "monoliticas"
ENTRADA_MENSAJES: Final = 1000
ENTRADA_BYTES: Final = 1 << 20
"""What the broker stores as one entry, at most; messages' properties and keys come on top of the bytes."""
T = TypeVar("T")


class NoPublicado(Exception):
    """The broker has not confirmed: nothing is known about whether the message was stored."""


class EsquemaRechazado(NoPublicado):
    """The broker does not take our schema of a topic: nothing was sent, and nothing will be until it does."""

    def __init__(self, topic: str, version: str) -> None:
        super().__init__(
            f"the broker refuses version {version} of the schema of {topic}: it is not registered, or incompatible "
            "with what is. provision.py registers it, schemas.py diff compares"
        )


@inmutable
class Recibido:
    """A message as it came; `crudo` is the client's own object. `grande`: it has more bytes than any of ours."""

    crudo: Any
    esquema: "EsquemaAvro"
    grande: bool

    @property
    def traza(self) -> Traza | None:
        return leer(propiedades(self.crudo).get(PROPIEDAD))

    def mensaje(self, con_traza: bool = True) -> Mensaje[Datos]:
        """Decoded with the schema it was written in. Raises MensajeInvalido, or the client's errors."""
        traza = self.traza if con_traza else None
        return self.esquema.codec.decodificar(self.crudo.data(), self.esquema.escritor(self.crudo), traza)


class EsquemaAvro(Schema):  # type: ignore[misc]  # the client library is untyped
    """A topic's schema for the broker to check; the bytes are encoded and decoded by the caller.

    Functions name it in their configuration: `schemaType: functions.comun.publicador.EsquemaAvro` with
    `schemaProperties: {topic: ordenes/comando-crear-orden}`. Decoding must not happen in the client: what
    it can't decode never reaches the function, and is redelivered for ever.
    """

    def __init__(self, _clase: Any, propiedades: Mapping[str, str]) -> None:
        self.codec: Codec = codec(propiedades["topic"])
        self._escritores: dict[int, Any] = {}
        super().__init__(None, _pulsar.SchemaType.AVRO, self.codec.definicion, "AVRO")

    def encode(self, obj: bytes) -> bytes:
        return obj

    def decode(self, data: bytes) -> bytes:
        return data

    def decode_message(self, msg: Any) -> Recibido:
        return Recibido(msg, self, len(msg.data()) > BYTES_MAXIMOS)

    def escritor(self, crudo: Any) -> Any:
        """The parsed schema that a message was written in; None if it is this one."""
        if (version := crudo.int_schema_version()) < 0:
            return None
        if version not in self._escritores:
            topic = crudo.topic_name()  # or a partition of it: they have its schemas
            try:
                info = self._client.get_schema_info(topic, version)
            except pulsar.TopicNotFound as error:  # the broker's answer, not its absence
                raise MensajeInvalido(f"schema version {version} of {topic} is not registered") from error
            if info.schema_type() != _pulsar.SchemaType.AVRO:
                raise MensajeInvalido(f"schema version {version} of {topic} is no Avro schema")
            definicion = json.loads(info.schema())
            es_la_misma = definicion == self.codec.definicion
            self._escritores[version] = None if es_la_misma else analizar(definicion)
        return self._escritores[version]


class EsquemaRegistrado(Schema):  # type: ignore[misc]  # the client library is untyped
    """A schema version as the registry has it, for bytes that were encoded long ago: they are stamped with it."""

    def __init__(self, info: Any) -> None:
        super().__init__(bytes, info.schema_type(), None, info.name())
        self._schema_info = info

    def encode(self, obj: bytes) -> bytes:
        return obj


def texto(leer: Callable[[], T], defecto: T) -> T:
    """A received message's text; what is no UTF-8 counts as not there."""
    try:
        return leer()
    except UnicodeDecodeError:
        return defecto


def propiedades(crudo: Any) -> dict[str, str]:
    """Of a received message."""
    return texto(crudo.properties, {})


def motivo(error: Exception) -> str:
    """An error in one line for people, at most 1,000 characters, without what PostgreSQL can't store."""
    return f"{type(error).__name__}: {error}"[:1000].replace("\0", "\\0")


def carta(crudo: Any, funcion: str, error: Exception, intentos: int) -> Publicacion:
    """A dead letter: the message `crudo` as it came, with what is wrong with it; `dlq-time` in ms since 1970."""
    traza = "" if isinstance(error, MensajeInvalido) else "".join(traceback.format_exception(error))
    propias = {
        **propiedades(crudo),
        "dlq-function": funcion,
        "dlq-topic": crudo.topic_name(),
        "dlq-message-id": str(crudo.message_id()),
        "dlq-schema-version": str(crudo.int_schema_version()),
        "dlq-reason": motivo(error),
        "dlq-traceback": traza[-8000:],
        "dlq-attempts": str(intentos),
        "dlq-time": str(time.time_ns() // 1_000_000),
    }
    return Publicacion(f"{funcion}-dlq", texto(crudo.partition_key, ""), crudo.data(), propias)


@inmutable
class _Via:
    """A producer. `junta`: it makes one entry of what it is sent until it is flushed."""

    productor: Any
    junta: bool

    def es_una_entrada(self, grupo: Sequence[Publicacion]) -> bool:
        """True if the broker stores all of these or none: then the last one's confirmation stands for them all."""
        cabe = len(grupo) < ENTRADA_MENSAJES and sum(len(p.crudo) for p in grupo) <= ENTRADA_BYTES
        return self.junta and cabe


class _Confirmaciones:
    """The broker's answers to so many sends."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._resultados: SimpleQueue[Any] = SimpleQueue()

    def __call__(self, resultado: Any, _id: Any) -> None:
        self._resultados.put(resultado)

    def esperar(self, plazo: float) -> None:
        limite = time.monotonic() + plazo
        try:
            resultados = {self._resultados.get(timeout=max(0.0, limite - time.monotonic())) for _ in range(self._total)}
        except Empty:
            raise NoPublicado(f"the broker did not answer within {plazo} s") from None
        if fallos := resultados - {pulsar.Result.Ok}:
            raise NoPublicado(f"the broker did not confirm: {', '.join(map(str, fallos))}")


class Publicador:
    """Publishes with confirmation, for one thread.

    One producer for each topic and schema version, made when first needed: what an earlier version of a function put
    into a receipt goes out as what it is. What one call publishes to a topic is one entry, if it fits into one.
    """

    def __init__(self, cliente: Any, *, plazo_ms: int = 30_000, demoras: Mapping[str, float] | None = None) -> None:
        """`demoras`: topics whose messages are to be delivered that many seconds later."""
        self._cliente, self._plazo_ms = cliente, plazo_ms
        self._demoras = {topic: timedelta(seconds=segundos) for topic, segundos in (demoras or {}).items()}
        self._vias: dict[tuple[str, str], _Via] = {}

    def publicar(self, publicaciones: Sequence[Publicacion]) -> None:
        """Returns when the broker has stored them all; else NoPublicado or the client's error."""
        grupos: dict[tuple[str, str], list[Publicacion]] = {}
        for p in publicaciones:
            grupos.setdefault((p.topic, p.version), []).append(p)
        vias = {clave: self._via(*clave) for clave in grupos}
        # a confirmation calls Python from the client's thread: three times as dear as the sending
        mudas = {clave: len(grupo) - 1 if vias[clave].es_una_entrada(grupo) else 0 for clave, grupo in grupos.items()}
        confirmaciones = _Confirmaciones(len(publicaciones) - sum(mudas.values()))
        try:
            with ExitStack() as al_final:  # nothing stays with a producer: it would be in the next call's entry
                for via in reversed(vias.values()):  # what a function says first, the saga's next step, goes first
                    al_final.callback(via.productor.flush)
                for clave, grupo in grupos.items():
                    for indice, p in enumerate(grupo):
                        vias[clave].productor.send_async(
                            p.crudo,
                            confirmaciones if indice >= mudas[clave] else None,
                            partition_key=p.clave,
                            properties=dict(p.propiedades),
                            deliver_after=self._demoras.get(p.topic),
                        )
            # the client gives up by itself before that; waiting for ever for it is no option
            confirmaciones.esperar(self._plazo_ms / 1000 + 5)
        except pulsar.AlreadyClosed:
            for clave in vias:
                del self._vias[clave]
            raise

    def _via(self, topic: str, version: str) -> _Via:
        if (topic, version) not in self._vias:
            completo = f"persistent://{TENANT}/{topic}"
            # dead letters one by one, so that each can be acknowledged alone; however big they are
            es_carta = topic not in TIPOS
            # what is delivered later is an entry of its own, and each partition has entries of its own
            es_entero = not es_carta and topic not in self._demoras
            junta = es_entero and self._cliente.get_topic_partitions(completo) == [completo]
            try:
                productor = self._cliente.create_producer(
                    completo,
                    schema=BytesSchema() if es_carta else self._esquema(topic, version),
                    send_timeout_millis=self._plazo_ms,
                    block_if_queue_full=True,
                    batching_enabled=not es_carta,
                    batching_max_messages=ENTRADA_MENSAJES,
                    batching_max_allowed_size_in_bytes=ENTRADA_BYTES,
                    batching_max_publish_delay_ms=self._plazo_ms,  # it is flushed long before
                    chunking_enabled=es_carta,
                )
            except pulsar.IncompatibleSchema as error:
                raise EsquemaRechazado(topic, version) from error
            self._vias[topic, version] = _Via(productor, junta)
        return self._vias[topic, version]

    def _esquema(self, topic: str, version: str) -> Schema:
        propio = EsquemaAvro(None, {"topic": topic})
        if version == propio.codec.version:
            return propio
        for numero in count():  # the broker's own numbers, oldest first
            try:
                info = self._cliente._client.get_schema_info(f"persistent://{TENANT}/{topic}", numero)
            except pulsar.TopicNotFound as error:
                raise EsquemaRechazado(topic, version) from error
            if json.loads(info.schema()).get("version") == version:
                return EsquemaRegistrado(info)
