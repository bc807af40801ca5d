"""The schemas in the repository: today's, and every version that was released, with samples of its messages.

schemas/<namespace>/<topic>.avsc                              today's
schemas/releases/<namespace>/<topic>/<version>.avsc           as released
schemas/releases/<namespace>/<topic>/<version>.golden.json    messages in its bytes, that functions must read for ever
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from admin import RAIZ
from package import configuraciones
from topics import PREFIJO

ESQUEMAS: Final = RAIZ / "schemas"
LANZADAS: Final = ESQUEMAS / "releases"


def topics() -> list[str]:
    """<namespace>/<topic> of every schema."""
    return [str(ruta.relative_to(ESQUEMAS).with_suffix("")) for ruta in sorted(ESQUEMAS.glob("*/*.avsc"))]


def archivo(topic: str) -> Path:
    return ESQUEMAS / f"{topic}.avsc"


def archivos_lanzados(topic: str, numero: int) -> tuple[Path, Path]:
    """A released version's schema and samples."""
    return LANZADAS / topic / f"{numero}.avsc", LANZADAS / topic / f"{numero}.golden.json"


def leer(ruta: Path) -> Any:
    """Raises ValueError, with the file's name, if it is no JSON."""
    try:
        return json.loads(ruta.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{relativa(ruta)} is no JSON: {error}") from error


def actual(topic: str) -> Any:
    return leer(archivo(topic))


def lanzadas(topic: str) -> dict[int, Any]:
    """The released versions of a topic's schema, by their numbers, oldest first."""
    rutas = sorted((LANZADAS / topic).glob("*.avsc"), key=lambda ruta: int(ruta.stem))
    return {int(ruta.stem): leer(ruta) for ruta in rutas}


def version(definicion: Any) -> int | None:
    """Our number of a schema, its attribute `version`; None if it has none."""
    numero = str(definicion.get("version"))
    return int(numero) if numero.isascii() and numero.isdigit() and numero[0] != "0" else None


def lectores(topic: str) -> list[str]:
    """The functions that read a topic."""
    return [config["name"] for config in configuraciones().values() if PREFIJO + topic in config["inputSpecs"]]


def sha256(ruta: Path) -> str:
    return hashlib.sha256(ruta.read_bytes()).hexdigest()


def relativa(ruta: Path) -> str:
    """As people name it."""
    return str(ruta.relative_to(RAIZ))
