"""Fakes of what the tool for dead letters sees of Pulsar: dead-letter topics, a schema registry, producers."""

import json
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import _pulsar
import pulsar

from functions.comun.codec import codec, publicacion
from functions.comun.ids import nuevo
from functions.comun.mensajes import CrearOrden
from tests.datos import una_orden

PREFIJO = "persistent://monoliticas/"
ORDENES = PREFIJO + "ordenes/comando-crear-orden"
FUNCION = "ordenes/crear-orden"
DLQ = PREFIJO + "ordenes/crear-orden-dlq"


@dataclass(frozen=True)
class Recibo:
    """A message's id. `trozos`: it came in several."""

    ledger: int
    entrada: int
    indice: int = -1
    trozos: bool = False

    def ledger_id(self) -> int:
        return self.ledger

    def entry_id(self) -> int:
        return self.entrada

    def batch_index(self) -> int:
        return self.indice

    def __str__(self) -> str:
        return "(1,0,-1,-1);(1,2,-1,-1)" if self.trozos else "(1,2,-1,-1)"


@dataclass(frozen=True)
class Mensaje:
    """A message in a dead-letter topic."""

    recibo: Recibo
    propiedades: dict[str, str] = field(default_factory=dict)
    cuerpo: bytes = b"basura"
    leer_clave: Callable[[], str] = lambda: "clave"

    def message_id(self) -> Recibo:
        return self.recibo

    def properties(self) -> dict[str, str]:
        return self.propiedades

    def data(self) -> bytes:
        return self.cuerpo

    def partition_key(self) -> str:
        return self.leer_clave()

    def publish_timestamp(self) -> int:
        return 1_800_000_000_000


def carta_de(entrada: int, orden: CrearOrden | None = None, **propiedades: str) -> Mensaje:
    """A letter as crear-orden writes it; `dlq_reason="x"` changes a property."""
    propias = {
        "traza": "original",
        "dlq-function": "ordenes/crear-orden",
        "dlq-topic": ORDENES,
        "dlq-message-id": f"(9,{entrada},-1,-1)",
        "dlq-schema-version": "0",
        "dlq-reason": "ValueError: no",
        "dlq-traceback": "Traceback (most recent call last):\n  …",
        "dlq-attempts": "3",
        "dlq-time": "1795507084551",
    } | {clave.replace("_", "-"): valor for clave, valor in propiedades.items()}
    return Mensaje(Recibo(1, entrada), propias, publicacion(nuevo(), 1_234, "bff", orden or una_orden()).crudo)


@dataclass
class Consumidor:
    """Hands out `entregas`; None among them is a moment in which nothing comes. `hechos` gets what is acknowledged."""

    entregas: list[Mensaje | None]
    hechos: list[str] = field(default_factory=list)
    ultimo: Recibo | None = None
    cerrado: bool = False

    def receive(self, timeout_millis: int) -> Mensaje:
        if not self.entregas or (mensaje := self.entregas.pop(0)) is None:
            raise pulsar.Timeout("nothing comes")
        return mensaje

    def get_last_message_id(self) -> Recibo:
        return self.ultimo or next(m.recibo for m in reversed(self.entregas) if m is not None)

    def acknowledge(self, recibo: Recibo) -> None:
        self.hechos.append(f"ack {recibo.entrada}")

    def is_connected(self) -> bool:
        return not self.cerrado

    def close(self) -> None:
        self.cerrado = True


@dataclass
class Productor:
    """`hechos` gets the topics of what is sent; sends of a topic in `cliente.rotos` are not confirmed."""

    cliente: "Cliente"
    topic: str
    esquema: Any

    def send_async(self, crudo: bytes, confirmar: Callable[..., None] | None, **opciones: Any) -> None:
        if self.topic in self.cliente.rotos:
            if confirmar is not None:
                confirmar(pulsar.Result.Timeout, None)
            return
        self.cliente.enviados.append((self.topic, crudo, opciones))
        self.cliente.hechos.append(f"send {self.topic.rpartition('/')[2]}")
        if confirmar is not None:
            confirmar(pulsar.Result.Ok, Recibo(1, len(self.cliente.enviados)))

    def flush(self) -> None:
        pass


def interrumpir(*_: object, **__: object) -> None:
    signal.raise_signal(signal.SIGINT)


class Cliente:
    """A cluster with one schema version of each topic in it; `hechos` is all that happens to it, in order."""

    def __init__(self, entregas: Sequence[Mensaje | None] = (), rotos: Sequence[str] = ()) -> None:
        self.hechos: list[str] = []
        self.enviados: list[tuple[str, bytes, dict[str, Any]]] = []
        self.esquemas: list[Any] = []
        self.rotos = rotos
        self.consumidor = Consumidor(list(entregas), self.hechos)
        self._client = self

    def subscribe(self, topic: str, suscripcion: str, **_: Any) -> Consumidor:
        assert (topic, suscripcion) == (DLQ, "cuarentena")
        return self.consumidor

    def create_producer(self, topic: str, schema: Any, **_: Any) -> Productor:
        self.esquemas.append(schema.schema_info())
        return Productor(self, topic, schema)

    def get_topic_partitions(self, topic: str) -> list[str]:
        return [topic]

    def get_schema_info(self, topic: str, version: int) -> Any:
        if version != 0 or not topic.startswith(PREFIJO):
            raise pulsar.TopicNotFound("no such version")
        definicion = codec(topic.removeprefix(PREFIJO)).definicion
        return _pulsar.SchemaInfo(_pulsar.SchemaType.AVRO, "comando", json.dumps(definicion))

    def close(self) -> None:
        self.hechos.append("close")
