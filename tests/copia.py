"""A copy of the sources to plant changes in, and to run the scripts of."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.plataforma import RAIZ

CARPETAS = ("functions", "schemas", "deployment/functions", "pulsar-admin-scripts", "bff/static")


class Copia:
    def __init__(self, raiz: Path) -> None:
        self.raiz = raiz
        for carpeta in CARPETAS:
            shutil.copytree(RAIZ / carpeta, raiz / carpeta, ignore=shutil.ignore_patterns("__pycache__"))

    def esquema(self, topic: str) -> Path:
        return self.raiz / "schemas" / f"{topic}.avsc"

    def lanzado(self, topic: str, numero: int) -> Path:
        return self.raiz / "schemas" / "releases" / topic / f"{numero}.avsc"

    def cambiar(self, ruta: Path, cambio: Callable[[str], str]) -> None:
        antes = ruta.read_text("utf-8")
        despues = cambio(antes)
        assert despues != antes
        ruta.write_text(despues, "utf-8")

    def correr(
        self, script: str, *argumentos: str, entorno: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A script of pulsar-admin-scripts; standard output and errors apart."""
        orden = [sys.executable, f"pulsar-admin-scripts/{script}", *argumentos]
        return subprocess.run(
            orden, cwd=self.raiz, env=entorno, capture_output=True, text=True, timeout=300, check=False
        )
