"""Builds one package for each function: a zip with its code, the engine and the schemas. Same input, same bytes.

Layout, as the Python instance wants it: <function>.zip with <function>/src/{functions,schemas}. What the code
needs beside (requirements.txt) must be installed in the Python of the functions workers.
"""

import argparse
import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import yaml
from admin import RAIZ

FUNCIONES: Final = RAIZ / "deployment" / "functions"
FECHA: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest that zip can say: the same for every file, so that only content makes a difference."""


def configuraciones() -> dict[str, dict[str, Any]]:
    """Every function's configuration by its name."""
    rutas = sorted(FUNCIONES.glob("*.yaml"))
    return {ruta.stem: yaml.safe_load(ruta.read_text("utf-8")) for ruta in rutas}


def archivos(config: dict[str, Any], todas: dict[str, dict[str, Any]]) -> Iterator[Path]:
    """What goes into one function's package: all of its context but the other functions."""
    ajenos = {_modulo(otra) for otra in todas.values()} - {_modulo(config)}
    contexto = _modulo(config).parent
    yield RAIZ / "functions" / "__init__.py"
    for carpeta in (RAIZ / "functions" / "comun", contexto):
        yield from (ruta for ruta in carpeta.glob("*.py") if ruta not in ajenos)
    yield from (RAIZ / "schemas").glob("*/*.avsc")


def construir(nombre: str, todas: dict[str, dict[str, Any]], carpeta: Path) -> Path:
    """Writes <carpeta>/<nombre>.zip; `todas` as `configuraciones` gives them."""
    destino = carpeta / f"{nombre}.zip"
    with zipfile.ZipFile(destino, "w", zipfile.ZIP_STORED) as paquete:
        for ruta in sorted(archivos(todas[nombre], todas)):
            entrada = zipfile.ZipInfo(f"{nombre}/src/{ruta.relative_to(RAIZ)}", FECHA)
            entrada.external_attr = 0o644 << 16
            paquete.writestr(entrada, ruta.read_bytes())
    return destino


def esquemas(paquete: Path, topics: Iterable[str]) -> dict[str, Any]:
    """The schemas of these topics that a package has."""
    with zipfile.ZipFile(paquete) as abierto:
        return {topic: json.loads(abierto.read(f"{paquete.stem}/src/schemas/{topic}.avsc")) for topic in topics}


def _modulo(config: dict[str, Any]) -> Path:
    return RAIZ.joinpath(*config["className"].split(".")[:-1]).with_suffix(".py")


def main() -> None:
    ayuda = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=ayuda)
    parser.add_argument("folder", type=Path, help="where to write the packages; made if it is missing")
    carpeta = parser.parse_args().folder
    carpeta.mkdir(parents=True, exist_ok=True)
    todas = configuraciones()
    for nombre in todas:
        print(construir(nombre, todas, carpeta))


if __name__ == "__main__":
    main()
