"""Listening: in which order, what is shown, and what happens when the broker or the reader of the output goes away."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import StringIO
from itertools import count
from typing import Any

import client
import listen_cli
import listen_print
import listen_topics
import pulsar
import pytest
from cloudevents_json import a_evento
from listen_topics import Escucha
from rich.console import Console
from samples import muestra
from topics import cartas
from writer_schemas import Esquemas

from functions.comun.codec import publicacion
from functions.comun.ids import nuevo
from functions.comun.mensajes import TIPOS, CrearOrden, Datos
from tests.datos import listo, pedir_stock, una_orden
from tests.dlq_falso import ORDENES, PREFIJO, Cliente, Recibo, interrumpir

CREAR, STOCK, LISTO = (
    "ordenes/comando-crear-orden",
    "productos/comando-disminuir-stock",
    "ordenes/comando-marcar-listo-despacho",
)
DLQ = "ordenes/crear-orden-dlq"
Correr = Callable[..., int]


@dataclass
class Crudo:
    """A message as the client's own object shows it."""

    cuerpo: bytes
    hora: int = 1_000
    version: int = 0
    propiedades: dict[str, str] = field(default_factory=dict)
    clave: Callable[[], str] = lambda: "clave"

    @property
    def _message(self) -> "Crudo":
        return self

    def data(self) -> bytes:
        return self.cuerpo

    def publish_timestamp(self) -> int:
        return self.hora

    def int_schema_version(self) -> int:
        return self.version

    def properties(self) -> dict[str, str]:
        return self.propiedades

    def partition_key(self) -> str:
        return self.clave()

    def message_id(self) -> Recibo:
        return Recibo(1, 2)


@dataclass
class Lector:
    """A reader of `quedan`; an error among them is raised, None is a moment in which nothing comes."""

    quedan: list[Crudo | Exception | None]
    desde: int = 0

    def read_next(self, _espera: int) -> Crudo:
        if not self.quedan or (mensaje := self.quedan.pop(0)) is None:
            raise pulsar.Timeout("nothing comes")
        if isinstance(mensaje, Exception):
            raise mensaje
        return mensaje

    def seek(self, desde: int) -> None:
        self.desde = desde

    def is_connected(self) -> bool:
        return True


class Cluster(Cliente):
    """`topics`: what comes from each."""

    def __init__(self, topics: dict[str, Sequence[Crudo | Exception | None]]) -> None:
        super().__init__()
        self.topics = topics
        self.lectores: dict[str, Lector] = {}
        self.inicios: set[Any] = set()

    def create_reader(self, topic: str, inicio: Any, **_: Any) -> Lector:
        corto = topic.removeprefix(PREFIJO)
        self.inicios.add(str(inicio))
        self.lectores[corto] = Lector(list(self.topics.get(corto, ())))
        return self.lectores[corto]


def crudo(datos: Datos, hora: int = 1_000, **resto: Any) -> Crudo:
    return Crudo(publicacion(nuevo(), 1_234, "bff", datos).crudo, hora, **resto)


@pytest.fixture
def correr(monkeypatch: pytest.MonkeyPatch, en_primer_plano: None) -> Correr:
    """Runs listen.py on a fake cluster until nothing comes; its exit code."""

    def con(cluster: Cluster, *argumentos: str) -> int:
        monkeypatch.setattr(client, "conectar", lambda: cluster)
        monkeypatch.setattr("sys.argv", ["listen.py", "--until-idle", "0.05", *argumentos])
        return listen_cli.main()

    return con


def filas(capsys: pytest.CaptureFixture[str]) -> list[Any]:
    return [json.loads(linea) for linea in capsys.readouterr().out.splitlines()]


def test_a_saga_is_shown_in_the_order_of_its_messages(correr: Correr, capsys: pytest.CaptureFixture[str]) -> None:
    orden, otra = una_orden(), una_orden()
    cluster = Cluster(
        {
            LISTO: [None, crudo(listo(orden), 3_000)],
            STOCK: [crudo(pedir_stock(orden), 2_000)],
            CREAR: [None, crudo(orden), crudo(otra)],
        }
    )
    assert correr(cluster, "--order", str(orden.id_orden)) == 0
    vistas = filas(capsys)
    assert [fila["topic"] for fila in vistas] == [CREAR, STOCK, LISTO]
    assert vistas[0]["message"]["data"]["id_orden"] == str(orden.id_orden)
    assert {clave: vistas[0][clave] for clave in ("key", "publish_time", "message_id", "schema_version")} == {
        "key": "clave",
        "publish_time": "1970-01-01T00:00:01.000Z",
        "message_id": "(1,2,-1,-1)",
        "schema_version": 0,
    }
    assert (set(cluster.lectores), cluster.hechos) == (set(TIPOS), ["close"])
    assert correr(Cluster({CREAR: [crudo(orden), crudo(otra)]}), "--transaction", str(otra.transaction_id)) == 0
    assert [fila["message"]["data"]["id_orden"] for fila in filas(capsys)] == [str(otra.id_orden)]


def test_what_is_waiting_is_merged_by_time_with_few_messages_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listen_topics, "LOTE", 3)
    horas = {CREAR: [*range(100)], STOCK: [5, 50, 50, 51, 98], LISTO: [1, 0, 99]}  # a clock that went back
    cluster = Cluster({topic: [Crudo(b"", hora) for hora in suyas] for topic, suyas in horas.items()})
    escucha, leidas = Escucha(cluster, list(horas), pulsar.MessageId.earliest), list[tuple[str, int]]()
    while len(leidas) < 108:
        leidas += [(topic, mensaje.hora) for topic, mensaje in escucha.leer()]
        assert all(len(lector.cola) <= 3 for lector in escucha._lectores)
    for topic, suyas in horas.items():
        assert [hora for otro, hora in leidas if otro == topic] == suyas
    assert [hora for topic, hora in leidas if topic != LISTO] == sorted(horas[CREAR] + horas[STOCK])


def test_from_when_on(correr: Correr, capsys: pytest.CaptureFixture[str]) -> None:
    viejo, nuevo = crudo(una_orden(), 59_999), crudo(una_orden(), 60_000)
    cluster = Cluster({CREAR: [viejo, nuevo]})
    assert correr(cluster, "--since", "1970-01-01T00:01Z", PREFIJO + CREAR) == 0
    assert (cluster.lectores[CREAR].desde, len(filas(capsys))) == (60_000, 1)
    assert correr(cluster, "--since", "1960-01-01T00:00Z", CREAR) == 0
    assert (cluster.lectores[CREAR].desde, len(filas(capsys))) == (0, 2)
    assert correr(cluster, "--from-start", CREAR, "--count", "1") == 0
    assert (cluster.inicios, len(filas(capsys))) == ({str(pulsar.MessageId.earliest)}, 1)
    assert correr(cluster, CREAR) == 0
    assert cluster.inicios == {str(pulsar.MessageId.earliest), str(pulsar.MessageId.latest)}


def test_what_can_not_be_read_is_shown_with_its_bytes(correr: Correr, capsys: pytest.CaptureFixture[str]) -> None:
    def clave() -> str:
        return b"\xff".decode()

    basura = Crudo(b"\xff\x1b", 2**63, propiedades={"a": "\x1b[2J"}, clave=clave)
    assert correr(Cluster({CREAR: [basura, crudo(una_orden(), version=-1)]}), CREAR) == 0
    mala, sin_version = filas(capsys)
    assert mala["publish_time"] == f"{2**63} ms since 1970"
    assert "unreadable with schema version 0" in mala["problem"]
    assert (base64.b64decode(mala["base64"]), mala["message"], mala["key"]) == (basura.cuerpo, None, "")
    assert (sin_version["problem"], sin_version["schema_version"]) == ("it has no schema version", None)
    assert sin_version["message"]["data"]["cantidad"] == 2


def test_dead_letters_are_read_as_their_messages_were_written(
    correr: Correr, capsys: pytest.CaptureFixture[str]
) -> None:
    carta = crudo(una_orden(), version=-1, propiedades={"dlq-topic": ORDENES, "dlq-schema-version": "0"})
    cluster = Cluster({DLQ: [carta, Crudo(b"a mano", version=-1)]})
    assert correr(cluster, "--dlq") == 0
    buena, mala = filas(capsys)
    assert (buena["topic"], buena["message"]["type"], buena["schema_version"]) == (DLQ, "comando-crear-orden", 0)
    assert "does not say which topic" in mala["problem"]
    assert set(cluster.lectores) == {*TIPOS, *cartas()}


def test_cloudevents_are_alone_on_stdout(correr: Correr, capsys: pytest.CaptureFixture[str]) -> None:
    sobre = muestra(CREAR)
    bueno = Crudo(publicacion(sobre["id"], 0, "bff", CrearOrden(**sobre["data"])).crudo)
    assert correr(Cluster({CREAR: [bueno, Crudo(b"\xff")]}), CREAR, "--cloudevents") == 0
    salida, errores = capsys.readouterr()
    evento = json.loads(salida)
    assert evento == a_evento(CREAR, sobre) | {
        "time": evento["time"],
        "ingestion": "1970-01-01T00:00:00.000Z",
        "source": "/monoliticas/bff",
    }
    assert "warning: no CloudEvent" in errores
    assert base64.b64encode(b"\xff").decode() in errores


def test_each_schema_version_is_asked_for_once_and_until_the_broker_answers(
    correr: Correr, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(listen_cli, "REVISION", 0.0)
    preguntas = count()
    original = Cliente.get_schema_info

    def ausente(cliente: Cliente, topic: str, version: int) -> Any:
        if next(preguntas) < 2:
            raise pulsar.Timeout("away")
        return original(cliente, topic, version)

    monkeypatch.setattr(Cliente, "get_schema_info", ausente)
    assert correr(Cluster({CREAR: [crudo(una_orden()) for _ in range(5)]}), CREAR) == 0
    salida, errores = capsys.readouterr()
    assert ["problem" in json.loads(linea) for linea in salida.splitlines()] == [False] * 5
    assert next(preguntas) == 3
    assert errores.splitlines()[1:] == ["the broker is away (away): waiting for it …", "the broker is back"]


def test_the_broker_goes_away_and_comes_back(
    correr: Correr, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(listen_cli, "REVISION", 0.0)
    estados = iter([True, False, False, True])
    monkeypatch.setattr(Lector, "is_connected", lambda _: next(estados, True))
    assert correr(Cluster({}), CREAR) == 0
    errores = capsys.readouterr().err.splitlines()
    assert errores[1:] == ["the broker is away (no connection): waiting for it …", "the broker is back"]


def test_ctrl_c_ends_it(correr: Correr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lector, "read_next", interrumpir)
    cluster = Cluster({})
    assert (correr(cluster, CREAR), cluster.hechos) == (130, ["close"])


def test_the_table_shows_the_newest_and_nothing_that_a_terminal_would_obey(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.get_terminal_size", lambda: type("T", (), {"lines": 6}))
    tabla, cluster = listen_print.Tabla(), Cluster({})
    for nombre in ("uno", "[bold]dos", "tres\x1b[2J"):
        mensaje = crudo(una_orden(user_id=nombre))
        tabla.mostrar(listen_print.leido(Esquemas(cluster), CREAR, mensaje))
    pantalla = StringIO()
    Console(file=pantalla, width=300).print(tabla._dibujar())
    texto = pantalla.getvalue()
    assert ("3 messages" in texto, "uno" in texto, "[bold]dos" in texto, "\x1b" in texto) == (True, False, True, False)


@pytest.mark.parametrize(
    ("argumentos", "error"),
    [
        (["x"], "there is no topic x; there are conductores/asignar-conductor-dlq, "),
        (["--since", "ayer"], "'ayer': Invalid isoformat string"),
        (["--until-idle", "0"], "it must be more than 0"),
        (["--order", "x"], "badly formed hexadecimal UUID string"),
        (["--json", "--cloudevents"], "not allowed with argument --json"),
    ],
)
def test_wrong_usage_is_explained(
    correr: Correr, capsys: pytest.CaptureFixture[str], argumentos: list[str], error: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        correr(Cluster({}), *argumentos)
    assert error in capsys.readouterr().err
