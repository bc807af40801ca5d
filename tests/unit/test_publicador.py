"""What the code that talks to Pulsar makes of schemas: whose version a message is, and a broker that refuses ours."""

import json
from collections.abc import Callable
from typing import Any

import _pulsar
import pulsar
import pytest
from schemas_files import archivos_lanzados, lanzadas, leer

from functions.comun.codec import Publicacion, codec, publicacion
from functions.comun.mensajes import MensajeInvalido
from functions.comun.publicador import EsquemaAvro, EsquemaRechazado, NoPublicado, Publicador, Recibido
from tests.datos import una_orden
from tests.pulsar_falso import PREFIJO, ClienteFalso, MensajeFalso, ProductorFalso

TOPIC = "ordenes/comando-crear-orden"
VERSION = codec(TOPIC).version


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
    return esquema.decode_message(MensajeFalso(TOPIC, bytes.fromhex(muestra["bytes"]), version=version))


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
    mensaje = esquema.decode_message(MensajeFalso(TOPIC, b"", version=7))
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


class ClienteQuePregunta(ClienteFalso):
    """`preguntas`: of each message that was sent, whether its confirmation is asked for; `partes`: of a topic."""

    def __init__(self, partes: int = 0) -> None:
        super().__init__()
        self.partes = partes
        self.preguntas: list[bool] = []

    def get_topic_partitions(self, topic: str) -> list[str]:
        return [f"{topic}-partition-{parte}" for parte in range(self.partes)] or [topic]

    def create_producer(self, topic: str, **opciones: Any) -> Any:
        productor = super().create_producer(topic, **opciones)
        enviar = productor.send_async

        def anotar(crudo: bytes, callback: Callable[..., None] | None, **mas: Any) -> None:
            self.preguntas.append(callback is not None)
            enviar(crudo, callback, **mas)

        productor.send_async = anotar  # type: ignore[assignment,method-assign]
        return productor


def preguntas(cliente: ClienteQuePregunta, cuantas: int, bytes_: int = 10, **opciones: Any) -> list[bool]:
    Publicador(cliente, **opciones).publicar([Publicacion(TOPIC, "clave", bytes(bytes_), version=VERSION)] * cuantas)
    assert len(cliente.publicados) == cuantas
    assert cliente.vaciados == 1
    return cliente.preguntas


def test_the_last_message_of_an_entry_is_confirmed_for_all() -> None:
    assert preguntas(ClienteQuePregunta(), 500) == [False] * 499 + [True]


@pytest.mark.parametrize(("cuantas", "bytes_"), [(1000, 10), (20, 60_000)], ids=["many", "big"])
def test_what_is_more_than_an_entry_is_confirmed_one_by_one(cuantas: int, bytes_: int) -> None:
    assert preguntas(ClienteQuePregunta(), cuantas, bytes_) == [True] * cuantas


def test_messages_that_are_entries_of_their_own_are_confirmed_one_by_one() -> None:
    assert preguntas(ClienteQuePregunta(), 3, demoras={TOPIC: 1}) == [True] * 3
    assert preguntas(ClienteQuePregunta(partes=1), 3) == [True] * 3


def test_nothing_is_confirmed_if_an_entry_is_not_and_nothing_stays_with_the_producer() -> None:
    cliente = ClienteQuePregunta()
    fallos = iter([None, pulsar.Timeout("TimeOut")])

    def fallar_una_vez() -> None:
        if (fallo := next(fallos, None)) is not None:
            raise fallo

    cliente.estorbo = fallar_una_vez
    publicador, mensajes = Publicador(cliente), [Publicacion(TOPIC, "clave", b"", version=VERSION)] * 3
    with pytest.raises(NoPublicado, match=r"did not confirm: Result\.Timeout"):
        publicador.publicar(mensajes)
    assert cliente.vaciados == 1
    publicador.publicar(mensajes)


def test_what_a_failed_send_leaves_is_flushed_too() -> None:
    """Else it would be in the entry of the next call."""
    cliente = ClienteFalso()

    def cerrado() -> None:
        raise pulsar.AlreadyClosed("AlreadyClosed")

    cliente.estorbo = cerrado
    with pytest.raises(pulsar.AlreadyClosed):
        Publicador(cliente).publicar([Publicacion(TOPIC, "clave", b"", version=VERSION)])
    assert cliente.vaciados == 1
