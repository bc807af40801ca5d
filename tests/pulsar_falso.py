"""Fakes of the Pulsar client and of a function's context: what the engine sees of Pulsar, kept in memory."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import pulsar

from functions.comun.codec import codec, publicacion
from functions.comun.ids import Id, nuevo
from functions.comun.mensajes import Datos, Mensaje
from functions.comun.publicador import EsquemaAvro, Recibido

PREFIJO = "persistent://monoliticas/"


@dataclass
class MensajeFalso:
    """A received message, as the client library shows it."""

    topic: str
    crudo: bytes
    propiedades: dict[str, str] = field(default_factory=dict)
    id: object = field(default_factory=object)
    version: int = -1

    def data(self) -> bytes:
        return self.crudo

    def topic_name(self) -> str:
        return PREFIJO + self.topic

    def message_id(self) -> object:
        return self.id

    def properties(self) -> dict[str, str]:
        return self.propiedades

    def partition_key(self) -> str:
        return "clave"

    def int_schema_version(self) -> int:
        return self.version


@dataclass
class ClienteFalso:
    """Keeps what is published. `estorbo` is called before each message is stored; what it raises is a failure.
    `vaciados`: how often a producer was told to wait for no more messages.
    """

    publicados: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)
    estorbo: Callable[[], None] = lambda: None
    demorados: set[str] = field(default_factory=set)
    vaciados: int = 0

    def create_producer(self, topic: str, **_: Any) -> "ProductorFalso":
        return ProductorFalso(self, topic.removeprefix(PREFIJO))

    def get_topic_partitions(self, topic: str) -> list[str]:
        return [topic]

    def guardar(self, topic: str, crudo: bytes, propiedades: dict[str, str]) -> None:
        self.publicados.append((topic, crudo, propiedades))

    def reconocer(self, funcion: str, id_mensaje: object) -> None:
        """A function has acknowledged a message."""

    def mensajes(self, topic: str) -> list[Mensaje[Datos]]:
        return [codec(topic).decodificar(crudo) for t, crudo, _ in self.publicados if t == topic]


@dataclass
class ProductorFalso:
    """Stores a message at once. `resultado` is what those without a callback came to, until the next callback."""

    cliente: ClienteFalso
    topic: str
    resultado: Any = pulsar.Result.Ok

    def send_async(
        self,
        crudo: bytes,
        callback: Callable[..., None] | None,
        partition_key: str,
        properties: dict[str, str],
        deliver_after: timedelta | None,
    ) -> None:
        try:
            self.cliente.estorbo()
        except pulsar.Timeout:
            self.resultado = pulsar.Result.Timeout
        else:
            if deliver_after is not None:
                self.cliente.demorados.add(self.topic)
            self.cliente.guardar(self.topic, crudo, properties)
        if callback is not None:
            resultado, self.resultado = self.resultado, pulsar.Result.Ok
            callback(resultado, None)

    def flush(self) -> None:
        self.cliente.vaciados += 1


@dataclass
class ContextoFalso:
    """The context of a function. `acks`: the ids of acknowledged messages, in order; `medidas`: the sums of metrics."""

    namespace: str
    funcion: str
    config: dict[str, Any]
    clave: str
    cliente: ClienteFalso = field(default_factory=ClienteFalso)
    acks: list[object] = field(default_factory=list)
    medidas: Counter[str] = field(default_factory=Counter)

    def record_metric(self, nombre: str, valor: float) -> None:
        self.medidas[nombre] += valor  # type: ignore[assignment]  # a counter of anything

    def get_function_name(self) -> str:
        return self.funcion

    def get_function_namespace(self) -> str:
        return self.namespace

    def get_user_config_map(self) -> dict[str, Any]:
        return self.config

    def get_secret(self, nombre: str) -> str | None:
        return self.clave if nombre == f"DB_PASSWORD_{self.config['DB_NAME']}".upper() else None

    def get_pulsar_client(self) -> ClienteFalso:
        return self.cliente

    def ack(self, mensaje: MensajeFalso, topic: str) -> None:
        assert topic == mensaje.topic_name()
        self.acks.append(mensaje.message_id())
        self.cliente.reconocer(self.funcion, mensaje.message_id())


def recibido(datos: Datos, id_mensaje: Id | None = None) -> Recibido:
    """A payload as it reaches `process`."""
    sobre = publicacion(id_mensaje or nuevo(), 1_000, "pruebas", datos)
    return crudo(datos.topic, sobre.crudo)


def crudo(topic: str, contenido: bytes, **propiedades: str) -> Recibido:
    """Any bytes as they reach `process`."""
    return _esquema(topic).decode_message(MensajeFalso(topic, contenido, propiedades))


@cache
def _esquema(topic: str) -> EsquemaAvro:
    esquema = EsquemaAvro(None, {"topic": topic})
    esquema.attach_client(RegistroVacio())
    return esquema


class RegistroVacio:
    """The client's access to a schema registry that holds nothing."""

    def get_schema_info(self, topic: str, version: int) -> None:
        raise pulsar.TopicNotFound(f"{topic} {version}")
