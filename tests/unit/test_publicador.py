"""What the code that talks to Pulsar makes of schemas: whose version a message is, and a broker that refuses ours."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

import _pulsar
import pulsar
import pytest
from schemas_files import archivos_lanzados, lanzadas, leer

from functions.comun.codec import Publicacion, publicacion
from functions.comun.mensajes import MensajeInvalido
from functions.comun.publicador import EsquemaAvro, EsquemaRechazado, Publicador, Recibido
from tests.datos import una_orden
from tests.pulsar_falso import PREFIJO, ClienteFalso, MensajeFalso, ProductorFalso

TOPIC = "ordenes/comando-crear-orden"


class Registro:
    """A registry of the released versions, whose broker may be away."""

    def __init__(self) -> None:
        self.preguntas: list[int] = []
        self.ausente = False

    def get_schema_info(self, topic: str, version: int) -> Any:
        if self.ausente:
            raise pulsar.ConnectError("away")
        self.preguntas.append(version)
        if version + 1 not in lanzadas(TOPIC):
            raise pulsar.TopicNotFound(f"{topic} {version}")
        return _pulsar.SchemaInfo(_pulsar.SchemaType.AVRO, "AVRO", json.dumps(lanzadas(TOPIC)[version + 1]))


class ClienteConRegistro(ClienteFalso):
    """Notes which schema version each producer has; `_client` is the client library's inner object."""

    def __init__(self, registro: Registro) -> None:
        super().__init__()
        self._client = registro
        self.versiones: list[str] = []

    def create_producer(self, topic: str, **opciones: Any) -> ProductorFalso:
        self.versiones.append(json.loads(opciones["schema"].schema_info().schema())["version"])
        return super().create_producer(topic, **opciones)


class ClienteQueRechaza(ClienteFalso):
    rechaza = True

    def create_producer(self, topic: str, **opciones: Any) -> ProductorFalso:
        if self.rechaza:
            raise pulsar.IncompatibleSchema("Pulsar error: IncompatibleSchema")
        return super().create_producer(topic, **opciones)


@pytest.fixture
def registro() -> Registro:
    return Registro()


@pytest.fixture
def esquema(registro: Registro) -> EsquemaAvro:
    esquema = EsquemaAvro(None, {"topic": TOPIC})
    esquema.attach_client(registro)
    return esquema


def recibido(esquema: EsquemaAvro, version: int) -> Recibido:
    """A released sample, in the broker's count of versions."""
    muestra = leer(archivos_lanzados(TOPIC, version + 1)[1])["samples"][0]
    return Recibido(MensajeFalso(TOPIC, bytes.fromhex(muestra["bytes"]), version=version), esquema)


def test_the_registry_is_asked_once_for_each_version(esquema: EsquemaAvro, registro: Registro) -> None:
    instrucciones = [recibido(esquema, version).mensaje().data.instrucciones_entrega for version in (0, 1) * 3]  # type: ignore[attr-defined]
    assert instrucciones == [None, "Tocar el timbre dos veces"] * 3
    assert registro.preguntas == [0, 1]


def test_known_versions_are_read_while_the_broker_is_away_and_others_wait(
    esquema: EsquemaAvro, registro: Registro
) -> None:
    recibido(esquema, 0).mensaje()
    registro.ausente = True
    assert recibido(esquema, 0).mensaje()
    with pytest.raises(pulsar.ConnectError):  # the engine tries again; MensajeInvalido would quarantine
        recibido(esquema, 1).mensaje()
    registro.ausente = False
    assert recibido(esquema, 1).mensaje()


def test_a_version_that_the_broker_does_not_have_is_an_invalid_message(esquema: EsquemaAvro) -> None:
    mensaje = Recibido(MensajeFalso(TOPIC, b"", version=7), esquema)
    with pytest.raises(MensajeInvalido, match=f"schema version 7 of {PREFIJO}{TOPIC} is not registered"):
        mensaje.mensaje()


def test_a_refused_schema_says_which_and_what_to_do_and_goes_through_once_it_is_registered() -> None:
    cliente = ClienteQueRechaza()
    publicador = Publicador(cliente)
    orden = una_orden()
    mensaje = publicacion(orden.id_orden, 0, "pruebas", orden)
    with pytest.raises(EsquemaRechazado, match=rf"version \d+ of the schema of {TOPIC}.*provision\.py registers it"):
        publicador.publicar([mensaje])
    cliente.rechaza = False
    publicador.publicar([mensaje])
    assert [topic for topic, _, _ in cliente.publicados] == [TOPIC]


def test_what_an_earlier_version_put_into_a_receipt_goes_out_in_its_own_schema(registro: Registro) -> None:
    """Under today's schema nobody could read it."""
    cliente = ClienteConRegistro(registro)
    publicador = Publicador(cliente)
    for numero in (1, 2, 1):
        muestra = leer(archivos_lanzados(TOPIC, numero)[1])["samples"][0]
        publicador.publicar([Publicacion(TOPIC, "clave", bytes.fromhex(muestra["bytes"]), version=str(numero))])
    assert cliente.versiones == ["1", "2"]
    assert len(cliente.publicados) == 3


def test_a_version_that_no_registry_has_is_refused_and_not_sent_as_another(registro: Registro) -> None:
    cliente = ClienteConRegistro(registro)
    with pytest.raises(EsquemaRechazado, match="refuses version 9"):
        Publicador(cliente).publicar([Publicacion(TOPIC, "clave", b"", version="9")])
    assert cliente.publicados == []


class ClienteLento(ClienteFalso):
    """Confirms when it is told to. `vaciados`: how often a producer was told not to wait for more messages."""

    def __init__(self) -> None:
        super().__init__()
        self.enviados: SimpleQueue[Callable[..., None]] = SimpleQueue()
        self.vaciados = 0

    def create_producer(self, topic: str, **_: Any) -> Any:
        return self

    def send_async(self, crudo: bytes, callback: Callable[..., None], **_: Any) -> None:
        self.enviados.put(callback)

    def flush(self) -> None:
        self.vaciados += 1


def test_a_lone_message_goes_at_once_and_messages_at_the_same_time_go_together() -> None:
    cliente = ClienteLento()
    publicador = Publicador(cliente)
    orden = una_orden()
    mensaje = publicacion(orden.id_orden, 0, "pruebas", orden)
    with ThreadPoolExecutor(2) as hilos:
        primera = hilos.submit(publicador.publicar, [mensaje])
        confirmar = [cliente.enviados.get(timeout=5)]
        segunda = hilos.submit(publicador.publicar, [mensaje])
        confirmar.append(cliente.enviados.get(timeout=5))
        for uno in confirmar:
            uno(pulsar.Result.Ok, None)
        primera.result(5)
        segunda.result(5)
        assert cliente.vaciados == 1
        tercera = hilos.submit(publicador.publicar, [mensaje])
        cliente.enviados.get(timeout=5)(pulsar.Result.Ok, None)
        tercera.result(5)
    assert cliente.vaciados == 2
