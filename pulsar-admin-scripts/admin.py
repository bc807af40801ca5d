"""Whatever cluster is named: what changes it are the real pulsar-admin commands, many in one start of pulsar-shell;
what only looks asks the admin REST API (questions.py), as they do.

Environment:
  PULSAR_SHELL, PULSAR_ADMIN  the programs; else found on PATH, else those of the local platform
  PULSAR_ADMIN_URL            http://127.0.0.1:8080   the brokers' admin API
  PULSAR_FUNCTIONS_URL        PULSAR_ADMIN_URL        the functions workers, where they are apart from the brokers
  PULSAR_SERVICE_URL          pulsar://127.0.0.1:6650
  PULSAR_CLIENT_CONF          a client.conf with what else the cluster wants: authentication, TLS
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

RAIZ: Final = Path(__file__).parents[1]
TENANT: Final = "monoliticas"
PLAZO: Final = 300
"""Longest run of one pulsar-shell, in s."""

_INICIO: Final = re.compile(r"^\[(\d+)/\d+\] Executing .*$", re.MULTILINE)
_RUIDO: Final = re.compile(r"^(WARNING: .*|\d{4}-\d\d-\d\dT.* - (WARN|INFO|ERROR) .*|Goodbye!)\n?", re.MULTILINE)
_FALLO: Final = re.compile(
    r"^(Reason: .*|Failed to execute.*|Error connecting to:.*|[\w.$]+Exception\b.*|Unmatched argument.*"
    r"|Missing required .*|Unknown option.*|Invalid .*| --- An unexpected error.*)$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Respuesta:
    """What one command printed; `fallo` is its reason to fail, None if it did not."""

    orden: str
    texto: str
    fallo: str | None

    def exigir(self) -> "Respuesta":
        """Itself, or the end of the program with the command and the reason."""
        if self.fallo is not None:
            sys.exit(f"error: pulsar-admin {self.orden}\n{self.texto.strip()}")
        return self


def url_admin() -> str:
    return os.environ.get("PULSAR_ADMIN_URL", "http://127.0.0.1:8080")


def url_functions() -> str:
    return os.environ.get("PULSAR_FUNCTIONS_URL", url_admin())


def cumple(actual: Any, esperado: Any) -> bool:
    """True if all that `esperado` says is so in `actual`, which may say more."""
    if isinstance(esperado, dict):
        return isinstance(actual, dict) and all(cumple(actual.get(k), valor) for k, valor in esperado.items())
    return bool(actual == esperado)


def ejecutar(ordenes: Sequence[Sequence[str]], url: str) -> list[Respuesta]:
    """Runs pulsar-admin commands, each without the leading "pulsar-admin", in order; never stops early."""
    if not ordenes:
        return []
    lineas = [f"admin {shlex.join(orden)}" for orden in ordenes]
    try:
        salidas = _por_archivo(lineas, url)
    except subprocess.TimeoutExpired:
        sys.exit(f"error: {url} did not answer {len(ordenes)} commands in {PLAZO} s")
    respuestas = []
    for orden, salida in zip(ordenes, salidas, strict=True):
        texto = _RUIDO.sub("", salida)
        fallo = _FALLO.search(texto)
        respuestas.append(Respuesta(shlex.join(orden), texto, fallo.group(0) if fallo else None))
    if all((r.fallo or "").startswith(("Error connecting", "java.net", "Failed")) for r in respuestas):
        sys.exit(f"error: can't reach {url}:\n{respuestas[0].texto.strip()}")
    return respuestas


def _por_archivo(lineas: Sequence[str], url: str) -> list[str]:
    """What each command printed."""
    with tempfile.TemporaryDirectory() as carpeta:
        archivo = Path(carpeta, "commands")
        archivo.write_text("".join(f"{linea}\n" for linea in lineas), "utf-8")
        programa = [*_programa(url, Path(carpeta)), "-np", "-f", str(archivo)]
        proceso = subprocess.run(
            programa, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PLAZO, check=False
        )
    partes = _INICIO.split(proceso.stdout)
    textos = dict(zip(map(int, partes[1::2]), partes[2::2], strict=True))
    if len(textos) != len(lineas):
        sys.exit(f"error: pulsar-shell ran {len(textos)} of {len(lineas)} commands:\n{proceso.stdout}")
    return [textos[numero] for numero in range(1, len(lineas) + 1)]


def _configuracion(url: str) -> str:
    propia = os.environ.get("PULSAR_CLIENT_CONF")
    base = Path(propia).read_text("utf-8") if propia else ""
    servicio = os.environ.get("PULSAR_SERVICE_URL", "pulsar://127.0.0.1:6650")
    return f"{base}\nwebServiceUrl={url}\nbrokerServiceUrl={servicio}\n"


def _programa(url: str, carpeta: Path) -> list[str]:
    """The shell, with a configuration that is written to `carpeta`."""
    conf = carpeta / "client.conf"
    conf.write_text(_configuracion(url), "utf-8")
    return [_shell(), "-c", str(conf)]


def _shell() -> str:
    if shell := os.environ.get("PULSAR_SHELL"):
        return shell
    if admin := os.environ.get("PULSAR_ADMIN"):
        return str(Path(admin).with_name("pulsar-shell"))
    local = Path(os.environ.get("PLATFORM_DATA", RAIZ / ".data"), "bin", "pulsar-shell")
    if programa := shutil.which("pulsar-shell") or (str(local) if local.exists() else None):
        return programa
    sys.exit("error: no pulsar-shell: set PULSAR_SHELL or PULSAR_ADMIN, or run `make up` for the local platform")
