"""The machine that something was measured on."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from tests.support.platform import ROOT


def data() -> dict[str, Any]:
    return {
        "fecha": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "version": _version(),
        "nucleos": os.cpu_count(),
        "modelo": _cpu_model(),
        "memoria_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "carga_antes": round(os.getloadavg()[0], 2),
    }


def _version() -> str:
    git = ["git", "describe", "--always", "--dirty"]
    completed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True)
    return completed.stdout.strip() or "unknown"


def _cpu_model() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
