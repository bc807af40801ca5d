"""Publishing by hand: what is taken, what is refused, and that one wrong message keeps all others back."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import _pulsar
import client
import fastavro
import publish_cli
import pulsar
import pytest
import yaml
from avro_json import a_json
from cloudevents_json import a_evento
from samples import de_esquema, muestra
from schemas_files import lanzadas

from functions.comun.codec import analizar, codec
from functions.comun.ids import Id, nuevo
from functions.comun.mensajes import TIPOS, CrearProducto, Datos, Mensaje
from tests.dlq_falso import PREFIJO, Cliente
from tests.plataforma import RAIZ

TOPIC, ORDEN = "productos/comando-crear-producto", "ordenes/comando-crear-orden"
Correr = Callable[..., int]


@pytest.fixture
def correr(monkeypatch: pytest.MonkeyPatch, en_primer_plano: None) -> Correr:
    """Runs publish.py on a fake cluster; its exit code."""

    def con(cliente: Cliente, *argumentos: str, entrada: str = "") -> int:
        monkeypatch.setattr(client, "conectar", lambda: cliente)
        monkeypatch.setattr("sys.argv", ["publish.py", *argumentos])
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(entrada.encode())))
        return publish_cli.main()

    return con


def enviados(cliente: Cliente) -> list[Mensaje[Datos]]:
    return [codec(topic.removeprefix(PREFIJO)).decodificar(crudo) for topic, crudo, _ in cliente.enviados]


def producto(**cambios: Any) -> dict[str, Any]:
    return {"id_producto": str(nuevo()), "nombre": "Café", "stock": 3} | cambios


UNO, OTRO = producto(nombre="2026-11-24"), producto(stock=0)


@pytest.mark.parametrize(
    "texto",
    [
        json.dumps([UNO, OTRO], indent=1),
        f"\n{json.dumps(UNO)}\n{json.dumps(OTRO)}\n",
        yaml.safe_dump_all([UNO, OTRO]) + "\n---\n",
        yaml.safe_dump([UNO, OTRO], default_flow_style=True, allow_unicode=True),
        json.dumps({"data": UNO}) + json.dumps({"data": OTRO, "service_name": "bff"}),
    ],
)
def test_json_lines_lists_and_yaml_documents_are_messages(correr: Correr, tmp_path: Path, texto: str) -> None:
    (tmp_path / "dos").write_text(texto)
    cliente = Cliente()
    assert correr(cliente, PREFIJO + TOPIC, str(tmp_path / "dos")) == 0
    esperados = [CrearProducto(Id(p["id_producto"]), p["nombre"], p["stock"]) for p in (UNO, OTRO)]
    assert [mensaje.data for mensaje in enviados(cliente)] == esperados
    claves = [opciones["partition_key"] for _, _, opciones in cliente.enviados]
    assert claves == [UNO["id_producto"], OTRO["id_producto"]]


def test_what_is_confirmed_is_shown_with_its_id_its_key_and_where_it_is(
    correr: Correr, capsys: pytest.CaptureFixture[str]
) -> None:
    cliente = Cliente()
    assert correr(cliente, TOPIC, "-", "--json", entrada=json.dumps(UNO)) == 0
    fila = json.loads(capsys.readouterr().out)
    (mensaje,) = enviados(cliente)
    assert fila == {"topic": TOPIC, "id": str(mensaje.id), "key": UNO["id_producto"], "message_id": "(1,2,-1,-1)"}


@pytest.mark.parametrize("topic", sorted(TIPOS))
def test_samples_of_every_topic_can_be_published_and_are_what_was_asked_for(correr: Correr, topic: str) -> None:
    cliente, clave = Cliente(), TIPOS[topic].clave
    valor = "x" if clave == "funcion" else str(nuevo())
    assert correr(cliente, topic, "--sample", "3", "--set", f"{clave}={valor}") == 0
    assert [str(getattr(mensaje.data, clave)) for mensaje in enviados(cliente)] == [valor] * 3
    assert len({mensaje.id for mensaje in enviados(cliente)}) == 3


def test_cloudevents_and_whole_envelopes_are_published_as_they_are(correr: Correr) -> None:
    sobre = muestra(TOPIC)
    for entrada in (a_evento(TOPIC, sobre), a_json(sobre)):
        cliente = Cliente()
        assert correr(cliente, TOPIC, "-", "--set", "stock=77", entrada=json.dumps(entrada)) == 0
        (mensaje,) = enviados(cliente)
        assert (mensaje.id, mensaje.time, mensaje.ingestion) == (sobre["id"], sobre["time"], sobre["ingestion"])
        assert mensaje.data == CrearProducto(**sobre["data"] | {"stock": 77})


class ConTodas(Cliente):
    """A cluster with every released version of the schemas."""

    def get_schema_info(self, topic: str, version: int) -> Any:
        definicion = list(lanzadas(topic.removeprefix(PREFIJO)).values())[version]
        return _pulsar.SchemaInfo(_pulsar.SchemaType.AVRO, "comando", json.dumps(definicion))


@pytest.mark.parametrize("version", ["1", codec(ORDEN).version])
def test_messages_of_every_version_are_published_as_what_they_are(correr: Correr, version: str) -> None:
    cliente, definicion = ConTodas(), lanzadas(ORDEN)[int(version)]
    sobre = de_esquema(ORDEN, definicion)
    assert correr(cliente, ORDEN, "-", entrada=json.dumps(a_evento(ORDEN, sobre))) == 0
    ((_, crudo, _),) = cliente.enviados
    assert fastavro.schemaless_reader(io.BytesIO(crudo), analizar(definicion), None) == sobre
    assert json.loads(cliente.esquemas[0].schema())["version"] == version


def test_a_dry_run_shows_and_publishes_nothing(correr: Correr, capsys: pytest.CaptureFixture[str]) -> None:
    assert correr(Cliente(), TOPIC, "-", "--dry-run", entrada=json.dumps(UNO)) == 0
    visto = json.loads(capsys.readouterr().out)
    assert (visto["key"], visto["message"]["data"], visto["message"]["service_name"]) == (
        UNO["id_producto"],
        UNO,
        "tester",
    )


@pytest.mark.parametrize(
    ("malo", "problemas"),
    [
        (json.dumps([UNO, producto(stock=-1)]), ["-: message 2: ", "stock is -1: it must be from 0 to"]),
        (
            json.dumps(producto(stock="3", x=1)),
            ["message 1: data.stock is '3': it must be of type int", "data.x: there"],
        ),
        (json.dumps(producto(nombre="a\0")), ["nombre holds a NUL character"]),
        (json.dumps([5]), ["message 1: the message is 5: it must be an object with id, time"]),
        (json.dumps({"data": None}), ["data is None: it must be an object with id_producto"]),
        (json.dumps({"data": UNO, "type": "otro"}), ["type is 'otro', on productos/comando-crear-producto"]),
        (
            json.dumps({"data": UNO, "specversion": "77"}),
            ["the schema's version is '77': leave it out, or say one of 1"],
        ),
        (json.dumps(a_evento(TOPIC, muestra(TOPIC)) | {"id": "7", "x": "y"}), ["x is 'y': our messages have no place"]),
        (json.dumps(producto(nombre="x" * 70_000)), ["at most 65536 are allowed"]),
        ('{"a": 1}\n{"b": ', ["-: no JSON: Expecting value: line 2 column 7"]),
        ("a: b: c", ["-: no YAML: mapping values are not allowed here"]),
        ("[" * 100_000, ["-: no JSON: "]),
        ("", ["-: there is no message in it"]),
        ("\x1b[2J: 1", ["no YAML: unacceptable character"]),
    ],
)
def test_if_one_is_wrong_every_problem_is_named_and_none_is_published(
    correr: Correr, capsys: pytest.CaptureFixture[str], malo: str, problemas: list[str]
) -> None:
    cliente = Cliente()
    assert correr(cliente, TOPIC, "-", "--sample", entrada=malo) == 2
    errores = capsys.readouterr().err
    assert [problema for problema in problemas if problema not in errores] == []
    assert "nothing was published" in errores
    assert cliente.hechos == []


def test_files_that_can_not_be_read_are_named(
    correr: Correr, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "latin").write_bytes(b"nombre: Caf\xe9")
    assert correr(Cliente(), TOPIC, str(tmp_path / "latin"), str(tmp_path / "nada")) == 2
    errores = capsys.readouterr().err
    assert f"{tmp_path / 'latin'}: 'utf-8' codec can't decode" in errores
    assert f"No such file or directory: '{tmp_path / 'nada'}'" in errores


def test_what_the_broker_does_not_confirm_is_an_error_and_counted(
    correr: Correr, capsys: pytest.CaptureFixture[str]
) -> None:
    assert correr(Cliente(rotos=[PREFIJO + TOPIC]), TOPIC, "--sample", "2") == 1
    salida, errores = capsys.readouterr()
    assert (salida, "0 of 2 are stored, the others may be, too" in errores) == ("", True)


@pytest.mark.parametrize(
    ("error", "remedio"),
    [
        (pulsar.IncompatibleSchema, "provision.py registers it, schemas.py diff compares"),
        (pulsar.TopicNotFound, "the topic does not exist: run provision.py"),
        (pulsar.Timeout, "does not answer: is it up"),
        (pulsar.ConnectError, "does not answer: is it up"),
    ],
)
def test_a_broker_that_refuses_or_is_away_is_a_clear_error(
    correr: Correr,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
    remedio: str,
) -> None:
    def negarse(*_: object, **__: object) -> None:
        raise error("no")

    monkeypatch.setattr(Cliente, "create_producer", negarse)
    assert correr(Cliente(), TOPIC, "--sample") == 1
    errores = capsys.readouterr().err
    assert (remedio in errores, errores.count("\n")) == (True, 1)


@pytest.mark.parametrize(
    ("argumentos", "error"),
    [
        (["x/y", "-"], "there is no topic x/y; there are conductores/comando-asignar-conductor, "),
        ([TOPIC], "it wants a TOPIC, and FILEs or --sample"),
        ([TOPIC, "--sample", "0"], "it must be at least 1"),
        ([TOPIC, "--sample", "--set", "stock"], "it must be FIELD=VALUE"),
        ([TOPIC, "--sample", "--set", "stock=[1"], "the value is no YAML"),
    ],
)
def test_wrong_usage_is_explained(
    correr: Correr, capsys: pytest.CaptureFixture[str], argumentos: list[str], error: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        correr(Cliente(), *argumentos)
    assert error in capsys.readouterr().err


def test_the_topics_are_listed_from_anywhere() -> None:
    programa = [sys.executable, str(RAIZ / "pulsar-admin-scripts" / "publish.py"), "--topics"]
    salida = subprocess.run(programa, cwd="/", capture_output=True, text=True, check=True).stdout
    assert [linea.split()[0] for linea in salida.splitlines()] == sorted(TIPOS)
