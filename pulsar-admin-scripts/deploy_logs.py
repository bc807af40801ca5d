"""The instances' logs, if they can be read: FUNCTIONS_LOGS is the folder `functions` in the workers' log folder."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from admin import TENANT

_TRAZA: Final = re.compile(r"^.*\n?Traceback \(most recent call last\):\n(?:(?!\[?\d{4}-).*\n?)*", re.MULTILINE)
"""With the line before it, to the next line that begins with a time."""


class Registros:
    """What the instances of these functions write from now on."""

    def __init__(self, configs: Iterable[Mapping[str, Any]]) -> None:
        base = os.environ.get("FUNCTIONS_LOGS")
        self._carpetas = {
            config["name"]: Path(base, TENANT, config["namespace"], config["name"]) for config in configs if base
        }
        self._desde = {ruta: ruta.stat().st_size for nombre in self._carpetas for ruta in self._archivos(nombre)}

    def traza(self, nombre: str) -> str:
        """The last traceback; empty if there is none, or no log can be read."""
        trazas = [traza for ruta in self._archivos(nombre) for traza in _TRAZA.findall(self._nuevo(ruta))]
        return trazas[-1].strip() if trazas else ""

    def _archivos(self, nombre: str) -> list[Path]:
        return sorted(self._carpetas[nombre].glob("*.log")) if nombre in self._carpetas else []

    def _nuevo(self, ruta: Path) -> str:
        desde = self._desde.get(ruta, 0)
        crudo = ruta.read_bytes()
        return crudo[desde if desde <= len(crudo) else 0 :].decode(errors="replace")  # shorter: a new file, rotated
