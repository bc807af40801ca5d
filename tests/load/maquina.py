"""The machine that something was measured on."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from tests.plataforma import RAIZ


def datos() -> dict[str, Any]:
    return {
        "fecha": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "version": _version(),
        "nucleos": os.cpu_count(),
        "modelo": _modelo(),
        "memoria_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "carga_antes": round(os.getloadavg()[0], 2),
    }


def _version() -> str:
    git = ["git", "describe", "--always", "--dirty"]
    hecho = subprocess.run(git, cwd=RAIZ, capture_output=True, text=True)
    return hecho.stdout.strip() or "unknown"


def _modelo() -> str:
    lineas = Path("/proc/cpuinfo").read_text().splitlines()
    return next((linea.partition(":")[2].strip() for linea in lineas if linea.startswith("model name")), "unknown")
