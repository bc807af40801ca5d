"""schemathesis against a running BFF and the document that it serves: all phases, all checks."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemathesis.checks import CHECKS, load_all_checks

from tests.plataforma import RAIZ

FASES: Final = ("examples", "coverage", "fuzzing", "stateful")
_OPERACIONES: Final = 16
"""A case more for each operation and a few sequences are at least so many cases."""
_DE_COBERTURA: Final = 500
"""The phase `coverage` has at least so many, whatever is asked for."""


@dataclass(frozen=True)
class Informe:
    casos: Counter[str]
    """Of each phase."""
    comprobaciones: Counter[str]
    """How often each check was made."""
    hallazgos: list[str]


def correr(url: str, casos: int, semilla: int, carpeta: Path) -> Informe:
    """What schemathesis finds, with how to reproduce it; a phase or a check that did not run is a finding too."""
    carpeta.mkdir(parents=True, exist_ok=True)
    eventos, resumen = carpeta / "esquema.ndjson", carpeta / "esquema.json"
    proceso = _schemathesis(url, casos, semilla, eventos, resumen)
    (carpeta / "esquema.txt").write_text(proceso.stdout, "utf-8")
    hechos, comprobaciones = _contar(eventos)
    fases = json.loads(resumen.read_text("utf-8"))["phases"]
    hallazgos = [proceso.stdout] if proceso.returncode else []
    hallazgos += [f"the phase {fase} did not run: {fases[fase]}" for fase in FASES if not hechos[fase]]
    load_all_checks()
    hallazgos += [f"the check {nombre} did not run" for nombre in CHECKS.get_all_names() if not comprobaciones[nombre]]
    if hechos.total() < casos:
        hallazgos.append(f"only {hechos.total()} cases instead of {casos}")
    return Informe(hechos, comprobaciones, hallazgos)


def _schemathesis(
    url: str, casos: int, semilla: int, eventos: Path, resumen: Path
) -> "subprocess.CompletedProcess[str]":
    ejemplos = max(1, (casos - _DE_COBERTURA) // _OPERACIONES)
    cuantos = ["--max-examples", str(ejemplos), "--seed", str(semilla), "--continue-on-failure"]
    informes = ["--report", "ndjson,json", "--report-ndjson-path", str(eventos), "--report-json-path", str(resumen)]
    salida = ["--no-color", "--output-sanitize", "false", "--generation-database", "none"]
    orden = [sys.executable, "-m", "schemathesis.cli", "--config-file", "tests/fuzz/schemathesis.toml"]
    orden += ["run", f"{url}/openapi.json", "--checks", "all", *cuantos, *informes, *salida]
    entorno = os.environ | {"SCHEMATHESIS_HOOKS": "tests.fuzz.ganchos", "PYTHONPATH": str(RAIZ)}
    return subprocess.run(orden, cwd=RAIZ, env=entorno, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _contar(eventos: Path) -> tuple[Counter[str], Counter[str]]:
    """Cases of each phase, and checks."""
    casos, comprobaciones = Counter[str](), Counter[str]()
    with eventos.open(encoding="utf-8") as lineas:
        for linea in lineas:
            if escena := json.loads(linea).get("ScenarioFinished"):
                casos[escena["phase"]] += len(escena["recorder"].get("cases", {}))
                for hechas in escena["recorder"].get("checks", {}).values():
                    comprobaciones.update(hecha["name"] for hecha in hechas)
    return casos, comprobaciones
