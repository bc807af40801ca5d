"""What testers do on a whole platform: publish messages by hand, and listen to what they lead to."""

import base64
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from avro_json import a_json
from samples import de_esquema
from schemas_files import lanzadas

from tests.e2e.dlq_helpers import PREFIJO, correr_guion, orden_de, publicar
from tests.e2e.test_saga import BIEN, crear_producto, registrar_conductores
from tests.plataforma import RAIZ, Plataforma, esperar

pytestmark = pytest.mark.e2e

CREAR, PRODUCTO = "ordenes/comando-crear-orden", "productos/comando-crear-producto"


def correr(platform: Plataforma, guion: str, *argumentos: str, entrada: str = "") -> str:
    codigo, salida, errores = correr_guion(platform, guion, *argumentos, entrada=entrada)
    assert codigo == 0, (argumentos, salida, errores)
    return salida


def todas(platform: Plataforma, *argumentos: str) -> list[Any]:
    """What there is now."""
    salida = correr(platform, "listen.py", "--from-start", "--until-idle", "1", *argumentos)
    return [json.loads(linea) for linea in salida.splitlines()]


@contextmanager
def escuchando(platform: Plataforma, *argumentos: str) -> "Iterator[subprocess.Popen[str]]":
    """listen.py once it listens; Ctrl-C works even if these tests run in the background."""
    proceso = subprocess.Popen(
        orden_de("listen.py", *argumentos),
        cwd=RAIZ,
        env=platform.entorno,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with proceso:
        try:
            assert proceso.stderr is not None
            assert "listening to" in proceso.stderr.readline()
            yield proceso
        finally:
            proceso.kill()


def lineas(proceso: "subprocess.Popen[str]") -> Iterator[Any]:
    assert proceso.stdout is not None
    return (json.loads(linea) for linea in proceso.stdout)


def test_a_saga_is_seen_from_the_order_that_a_tester_publishes_to_its_end(platform: Plataforma) -> None:
    id_producto, id_orden, vistas = crear_producto(platform, 5), str(uuid4()), list[Any]()
    registrar_conductores(platform, 1)
    antes = platform.admin("topics", "subscriptions", PREFIJO + CREAR)
    with escuchando(platform, "--order", id_orden) as proceso:
        assert "reader-" in platform.admin("topics", "subscriptions", PREFIJO + CREAR)
        propios = ("--set", f"id_orden={id_orden}", "--set", f"id_producto={id_producto}")
        publicado = json.loads(correr(platform, "publish.py", CREAR, "--sample", *propios, "--json"))
        for fila in lineas(proceso):
            vistas.append(fila)
            if fila["message"]["data"].get("estado") == "iniciada":
                break
        proceso.send_signal(signal.SIGINT)
        assert (proceso.wait(15), proceso.stderr and proceso.stderr.read()) == (130, "interrupted\n")
    assert [fila["message"]["type"] for fila in vistas if fila["message"]["type"] in BIEN] == BIEN
    primera = vistas[0]
    assert (primera["message"]["id"], primera["key"], primera["message_id"]) == (
        publicado["id"],
        id_orden,
        publicado["message_id"],
    )
    assert platform.admin("topics", "subscriptions", PREFIJO + CREAR) == antes


def test_one_wrong_message_keeps_all_back(platform: Plataforma) -> None:
    buena = {"id_producto": str(uuid4()), "nombre": "Té", "stock": 1}
    dos = json.dumps([buena, buena | {"stock": -1}])
    codigo, salida, errores = correr_guion(platform, "publish.py", PRODUCTO, "-", entrada=dos)
    assert (codigo, salida) == (2, "")
    assert "error: -: message 2: not a productos/comando-crear-producto: ValueError: stock is -1" in errores
    assert buena["id_producto"] not in [fila["key"] for fila in todas(platform, PRODUCTO)]
    correr(platform, "publish.py", PRODUCTO, "-", entrada=json.dumps(buena))
    assert [fila["message"]["data"] for fila in todas(platform, PRODUCTO) if fila["key"] == buena["id_producto"]] == [
        buena
    ]


@pytest.mark.parametrize("version", list(lanzadas(CREAR)))
def test_what_was_heard_can_be_published_again_as_cloudevents(platform: Plataforma, version: int) -> None:
    sobre = de_esquema(CREAR, lanzadas(CREAR)[version])
    suya = ("--order", str(sobre["data"]["id_orden"]), CREAR)
    correr(platform, "publish.py", CREAR, "-", entrada=json.dumps(a_json(sobre)))
    oido = correr(platform, "listen.py", "--from-start", "--count", "1", "--cloudevents", *suya)
    correr(platform, "publish.py", CREAR, "-", entrada=oido)
    una, otra = todas(platform, *suya)
    assert una["message"] == otra["message"] == a_json(sobre)
    assert una["schema_version"] == otra["schema_version"]
    desde = correr(platform, "listen.py", "--since", otra["publish_time"], "--until-idle", "1", *suya)
    assert [json.loads(linea)["message_id"] for linea in desde.splitlines()] == [otra["message_id"]]


def test_garbage_and_its_dead_letter_are_shown_with_their_bytes(platform: Plataforma) -> None:
    topic, basura = "ordenes/comando-verificar-orden", b"\xff" + uuid4().bytes
    with escuchando(platform, "--dlq") as proceso:
        publicar(platform, topic, basura, "clave")
        filas = (fila for fila in lineas(proceso) if base64.b64decode(fila.get("base64", "")) == basura)
        primera, carta = next(filas), next(fila for fila in filas if fila["topic"] == "ordenes/verificar-orden-dlq")
        proceso.terminate()
        assert proceso.wait(15) == 130
    assert (primera["topic"], primera["message"], primera["key"]) == (topic, None, "clave")
    for fila in (primera, carta):
        assert fila["problem"].startswith(f"unreadable with schema version {fila['schema_version']} of {topic}: ")
    assert carta["properties"]["dlq-reason"].startswith("MensajeInvalido")


def test_a_reader_of_the_output_that_goes_away_ends_it(platform: Plataforma) -> None:
    with escuchando(platform) as proceso:
        assert proceso.stdout is not None
        proceso.stdout.close()
        assert proceso.wait(15) == 141


@pytest.fixture(scope="module")
def solo_pulsar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plataforma]:
    """A broker of these tests' own: they stop it."""
    plataforma = Plataforma(tmp_path_factory.mktemp("pulsar"))
    try:
        plataforma.local("up", "pulsar")
        plataforma.con_entorno(sys.executable, "pulsar-admin-scripts/provision.py")
        yield plataforma
    finally:
        plataforma.local("clean")


def test_listening_goes_on_after_the_broker_was_away(solo_pulsar: Plataforma) -> None:
    antes, mientras, despues = str(uuid4()), str(uuid4()), list[Any]()
    publicar_producto = ("publish.py", PRODUCTO, "--sample", "--set")
    with escuchando(solo_pulsar) as proceso:
        correr(solo_pulsar, *publicar_producto, f"id_producto={antes}")
        filas = lineas(proceso)
        assert next(filas)["key"] == antes
        solo_pulsar.local("stop", "pulsar")
        codigo, salida, errores = correr_guion(solo_pulsar, *publicar_producto, f"id_producto={mientras}")
        assert (codigo, salida, "waiting for the broker at pulsar://" in errores) == (1, "", True)
        assert "does not answer: is it up, and is PULSAR_SERVICE_URL right?" in errores
        assert proceso.stderr is not None
        assert proceso.stderr.readline().startswith("the broker is away")
        solo_pulsar.local("start", "pulsar")
        assert proceso.stderr.readline() == "the broker is back\n"
        correr(solo_pulsar, *publicar_producto, f"id_producto={mientras}")
        assert next(filas)["key"] == mientras
        correr(solo_pulsar, "publish.py", CREAR, "--sample")
        despues.append(next(filas))
    assert [fila["topic"] for fila in despues] == [CREAR]
    esperar("no reader", lambda: "reader-" not in solo_pulsar.admin("topics", "subscriptions", PREFIJO + CREAR))
