"""Prometheus for tests: promtool, and a server that scrapes where it is told, with the project's own rules."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import yaml

from deployment.local.errors import PlatformError
from deployment.monitoring import prometheus
from deployment.monitoring.render import SOURCES, command
from tests.plataforma import esperar, libres

MINUTOS: Final = re.compile(r"\b(\d+)m\b")
CADENA: Final = re.compile(r'"[^"]*"|\'[^\']*\'')
NOMBRE: Final = re.compile(r"\b(?:up|(?:pulsar|bff|saga|node)_\w+|[a-z_]+:\w+(?::\w+)*)\b(?! *\()")
PROPIA: Final = re.compile(r'metric=~?"([^"]+)"')
Regla = dict[str, Any]


def reglas() -> list[Regla]:
    """Every rule of every file."""
    archivos = [yaml.safe_load(ruta.read_text("utf-8")) for ruta in sorted((SOURCES / "rules").glob("*.yml"))]
    return [regla for archivo in archivos for grupo in archivo["groups"] for regla in grupo["rules"]]


def alertas() -> list[Regla]:
    return [regla for regla in reglas() if "alert" in regla]


def consultas() -> set[str]:
    """Every query of the dashboards, their variables filled in."""
    tableros = [json.loads(ruta.read_text("utf-8")) for ruta in (SOURCES / "dashboards").glob("*.json")]
    paneles = [panel for tablero in tableros for panel in tablero["panels"]]
    return {re.sub(r"\$\w+", ".+", serie["expr"]) for panel in paneles for serie in panel.get("targets", ())}


def metricas() -> set[str]:
    """The names of all metrics that rules and dashboards ask for."""
    return {nombre for texto in _textos() for nombre in NOMBRE.findall(CADENA.sub("", texto))}


def metricas_propias() -> set[str]:
    """Regular expressions for the metrics of functions' own that rules and dashboards ask for."""
    return {nombre for texto in _textos() for nombres in PROPIA.findall(texto) for nombre in nombres.split("|")}


def _textos() -> set[str]:
    return {str(regla["expr"]) for regla in reglas()} | consultas()


def programas() -> Path:
    """Where prometheus and promtool are; skips where they can't be had."""
    try:
        return prometheus.folder()
    except PlatformError as problema:
        pytest.skip(f"no Prometheus: {problema}")


def promtool(*argumentos: str) -> None:
    """Asserts that it finds nothing wrong."""
    orden = [str(programas() / "promtool"), *argumentos]
    proceso = subprocess.run(orden, cwd=SOURCES, capture_output=True, text=True, timeout=120, check=False)
    assert proceso.returncode == 0, proceso.stdout + proceso.stderr


def apurar(carpeta: Path) -> None:
    """Makes a rendered copy fast enough for a test: minutes become seconds, it looks each second."""
    for ruta in (carpeta / "rules").glob("*.yml"):
        texto = MINUTOS.sub(r"\1s", ruta.read_text("utf-8").replace("[15m]", "[60s]"))  # three starts take their time
        for de_minutos, de_segundos in (("time() - 300", "time() - 5"), (">= 10\n", ">= 1\n")):
            texto = texto.replace(de_minutos, de_segundos)
        ruta.write_text(texto, "utf-8")
    ruta = carpeta / "prometheus.yml"
    ruta.write_text(ruta.read_text("utf-8").replace("_interval: 15s", "_interval: 1s"), "utf-8")


class Servidor:
    """A running Prometheus, asked over its HTTP API."""

    def __init__(self, puerto: int) -> None:
        self.url = f"http://127.0.0.1:{puerto}"

    def pedir(self, ruta: str, **parametros: str) -> Any:
        """None while it does not answer."""
        with suppress(OSError), urlopen(f"{self.url}{ruta}?{urlencode(parametros)}", timeout=10) as respuesta:
            return json.load(respuesta)["data"]
        return None

    def valores(self, consulta: str) -> list[tuple[Mapping[str, str], float]]:
        """The labels and the value of each series of an instant vector."""
        filas = self.pedir("/api/v1/query", query=consulta)["result"]
        return [(fila["metric"], float(fila["value"][1])) for fila in filas]

    def activas(self, alerta: str) -> list[Any]:
        """The firing alerts of a name."""
        todas = self.pedir("/api/v1/alerts")["alerts"]
        return [a for a in todas if a["labels"]["alertname"] == alerta and a["state"] == "firing"]

    def sanos(self) -> int:
        """Targets that answer."""
        blancos = (self.pedir("/api/v1/targets") or {}).get("activeTargets", [])
        return sum(blanco["health"] == "up" for blanco in blancos)


@contextmanager
def corriendo(carpeta: Path) -> Iterator[Servidor]:
    """A Prometheus with the rendered configuration in `carpeta`."""
    (puerto,) = libres(1)
    orden = command(programas(), carpeta, puerto)
    with (carpeta / "prometheus.log").open("w") as registro:
        proceso = subprocess.Popen(orden, stdout=registro, stderr=registro)
    servidor = Servidor(puerto)
    try:
        esperar("Prometheus", lambda: servidor.pedir("/api/v1/status/buildinfo") or proceso.poll() is not None)
        assert proceso.poll() is None, (carpeta / "prometheus.log").read_text()
        yield servidor
    finally:
        proceso.terminate()
        proceso.wait(30)
        sys.stdout.write((carpeta / "prometheus.log").read_text()[-2000:])
