"""A fault drill on a whole platform: an alert tells of each fault, a view shows it, the runbook's step is of use.

The alerts are as they are, but that minutes are seconds.
"""

import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

import psutil
import pulsar
import pytest
from pulsar.schema import AvroSchema

from deployment.local import services
from deployment.monitoring.render import SOURCES
from tests.e2e.dlq_helpers import PREFIJO, cartas, cliente, correr, correr_guion, publicar
from tests.e2e.test_watchdog import functions
from tests.plataforma import RAIZ, Plataforma, esperar
from tests.prometheus import MINUTOS, Servidor

pytestmark = pytest.mark.e2e

RUNBOOK: Final = (SOURCES / "RUNBOOK.md").read_text("utf-8")
BLOQUE: Final = re.compile(r"^```sh\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
AJENO: Final = {"type": "record", "name": "X", "fields": [{"name": "x", "type": "int"}]}
TE: Final = {"nombre": "Té", "stock": 1}


def ordenes(seccion: str) -> list[str]:
    """The commands in a piece of the runbook: lines of blocks, and in sentences."""
    lineas = [linea for bloque in BLOQUE.findall(seccion) for linea in bloque.splitlines()]
    return lineas + [" ".join(dicha.split()) for dicha in re.findall(r"`([^`]+)`", BLOQUE.sub("", seccion))]


@dataclass(frozen=True)
class Simulacro:
    """What whoever is on call has."""

    platform: Plataforma
    prometheus: Servidor

    def suena(self, alerta: str, **etiquetas: str) -> list[Any]:
        """The alerts of that name and with these labels that fire."""
        return [a for a in self.prometheus.activas(alerta) if etiquetas.items() <= a["labels"].items()]

    def oir(self, alerta: str, **etiquetas: str) -> Any:
        (sonada,) = esperar(alerta, lambda: self.suena(alerta, **etiquetas), 90)
        assert sonada["annotations"]["runbook_url"].endswith(f"RUNBOOK.md#{alerta.lower()}")
        return sonada

    def callar(self, alerta: str, **etiquetas: str) -> None:
        esperar(f"the end of {alerta}", lambda: not self.suena(alerta, **etiquetas), 90)

    def panel(self, tablero: str, titulo: str, **variables: str) -> list[float]:
        """What a panel of a dashboard shows now."""
        paneles = json.loads((SOURCES / "dashboards" / f"{tablero}.json").read_text("utf-8"))["panels"]
        (consulta,) = [serie["expr"] for panel in paneles if panel["title"] == titulo for serie in panel["targets"]]
        for nombre, valor in variables.items():
            consulta = consulta.replace(f"${nombre}", valor)
        return [valor for _, valor in self.prometheus.valores(MINUTOS.sub(r"\1s", consulta))]

    def quejas(self, *argumentos: str) -> str:
        """What the monitor holds against the cluster."""
        _, salida, _ = correr_guion(self.platform, "monitor.py", "--json", *argumentos)
        return "\n".join(json.loads(salida)["unhealthy"])

    def paso(self, alerta: str, empieza: str, **cambios: str) -> str:
        """Runs the command of the alert's section in the runbook that begins so; what it prints."""
        (seccion,) = re.findall(rf"^### {alerta}\n(.*?)(?=^##|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL)
        orden = next(dicha for dicha in ordenes(seccion) if dicha.startswith(empieza))
        for era, sera in cambios.items():
            assert era in orden
            orden = orden.replace(era, sera)
        preparar = BLOQUE.findall(RUNBOOK)[0]
        guion = ["bash", "-euc", f"{preparar}\n{orden}"]
        fin = subprocess.run(guion, cwd=RAIZ, env=self.platform.entorno, capture_output=True, text=True, timeout=300)
        assert fin.returncode == 0, f"{orden}\n{fin.stdout}{fin.stderr}"
        return fin.stdout


@pytest.fixture
def turno(platform: Plataforma, prometheus: Servidor) -> Simulacro:
    return Simulacro(platform, prometheus)


def test_a_function_is_stopped(turno: Simulacro) -> None:
    quien = {"ordenes crear-orden": "productos eliminar-producto"}
    assert not turno.suena("FunctionDown")
    functions(turno.platform, "stop", "productos", "eliminar-producto")
    try:
        sonada = turno.oir("FunctionDown", subscription="eliminar-producto")
        assert sonada["annotations"]["summary"] == "Function eliminar-producto does not run"
        assert "function productos/eliminar-producto runs 0 of 1 instances" in turno.quejas()
    finally:
        turno.paso("FunctionDown", "functions start", **quien)
    turno.callar("FunctionDown")


def vistas(turno: Simulacro, funcion: str) -> list[psutil.Process]:
    """The function's instances whose metrics Prometheus has."""
    consulta = f'pulsar_function_received_created{{name="{funcion}"}}'
    ultima = max((cuando for _, cuando in turno.prometheus.valores(consulta)), default=0)
    return [instancia for instancia in turno.platform.instancias(funcion) if instancia.create_time() <= ultima]


def test_a_function_is_killed_again_and_again(turno: Simulacro) -> None:
    for _ in range(3):
        (instancia,) = esperar("an instance that Prometheus sees", lambda: vistas(turno, "eliminar-producto"))
        instancia.kill()
        instancia.wait(10)
    sonada = turno.oir("FunctionRestarting", name="eliminar-producto")
    assert sonada["annotations"]["summary"].startswith("Function eliminar-producto has started ")
    (edad,) = esperar("its age", lambda: turno.panel("functions", "Runs for", function="eliminar-producto"))
    assert edad < 60
    assert "eliminar-producto" in turno.paso(
        "FunctionRestarting", "make logs NAME=", **{"NAME=…": "NAME=eliminar-producto"}
    )
    turno.callar("FunctionRestarting", name="eliminar-producto")


def test_a_message_is_poison(turno: Simulacro) -> None:
    topic = f"{PREFIJO}productos/crear-producto-dlq"
    correr(turno.platform, "discard", "--function", "crear-producto", "--reason", "a drill", "--yes")  # others' letters
    turno.callar("DeadLettersWaiting", topic=topic)
    publicar(turno.platform, "productos/comando-crear-producto", b"poison", str(uuid4()))
    turno.oir("MessagesQuarantined", name="crear-producto")
    turno.oir("DeadLettersWaiting", topic=topic)
    assert "1 dead letter in productos/crear-producto-dlq" in turno.quejas()
    (carta,) = cartas(turno.platform, "--function", "crear-producto")
    assert carta["id"] in turno.paso("DeadLettersWaiting", 'make dlq ARGS="list"')
    turno.paso("DeadLettersWaiting", "make dlq ARGS='discard ID", ID=carta["id"], **{"…": "a drill"})
    turno.callar("DeadLettersWaiting", topic=topic)
    turno.callar("MessagesQuarantined", name="crear-producto")


def test_the_database_is_away(turno: Simulacro) -> None:
    assert not turno.suena("DatabaseAway")
    turno.platform.local("stop", "postgres")
    try:
        _, creado, _ = turno.platform.pedir("POST", "/productos", TE)
        turno.oir("DatabaseAway")
        turno.oir("InfrastructureFailures", name="crear-producto")
        assert (
            sum(turno.panel("functions", "Database or broker away, tries in 5 minutes", function="crear-producto")) > 0
        )
        tarde = "subscription crear-producto of productos/comando-crear-producto is late"
        esperar("that the monitor shows it", lambda: tarde in turno.quejas("--max-age", "1"))
    finally:
        turno.paso("DatabaseAway", "make up")
    esperar("the product", lambda: turno.platform.pedir("GET", f"/productos/{creado['id']}")[0] == 200)
    turno.callar("DatabaseAway")
    turno.callar("InfrastructureFailures")


@contextmanager
def lento(platform: Plataforma) -> Iterator[None]:
    """A broker that stands still most of the time."""
    pid, fin = services.pid(platform.data, "pulsar"), threading.Event()
    assert pid is not None

    def frenar() -> None:
        while not fin.is_set():
            os.kill(pid, signal.SIGSTOP)
            fin.wait(0.8)
            os.kill(pid, signal.SIGCONT)
            fin.wait(0.2)

    hilo = threading.Thread(target=frenar)
    hilo.start()
    try:
        yield
    finally:
        fin.set()
        hilo.join()


def test_the_broker_is_slow(turno: Simulacro) -> None:
    topic = {"topic": "productos/comando-crear-producto"}
    panel = ("overview", "Until the broker confirms a command (p99)")

    def suena() -> bool:
        turno.platform.pedir("POST", "/productos", TE)
        return bool(turno.suena("PublishSlow", **topic))

    with lento(turno.platform):
        esperar("PublishSlow", suena, 90)
        assert any(segundos > 0.5 for segundos in turno.panel(*panel))  # of topics without messages it is NaN
    assert turno.paso("PublishSlow", "curl $PULSAR_ADMIN_URL") == "ok"
    turno.callar("PublishSlow")


def test_a_schema_is_refused(turno: Simulacro) -> None:
    nuestro = {"namespace": "monoliticas/saga"}
    ajeno = AvroSchema(None, schema_definition=AJENO)
    with cliente(turno.platform) as abierto, pytest.raises(pulsar.IncompatibleSchema):
        abierto.subscribe(f"{PREFIJO}saga/evento-cuarentena", "ajena", schema=ajeno)
    sonada = turno.oir("SchemaRefused", **nuestro)
    assert sonada["annotations"]["summary"] == "The broker refuses a schema of monoliticas/saga"
    assert turno.panel("overview", "Alerts")
    turno.paso("SchemaRefused", "python pulsar-admin-scripts/schemas.py diff")  # ours are as they should be
    turno.callar("SchemaRefused", **nuestro)
