"""The Dockerfile: what is in the images is all that the programs need, and nothing else goes to the builder."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from tests.manifiestos import DEPLOYMENT, NUESTRAS, Contenedor, de_compose, de_kubernetes, etapas
from tests.plataforma import RAIZ, esperar, libres


def etapa(contenedor: Contenedor) -> str:
    """The stage of the Dockerfile that its image is."""
    return contenedor.imagen.removeprefix(NUESTRAS).partition(":")[0]


def poner(imagen: str, carpeta: Path) -> Path:
    """What a stage copies to /app, in a folder."""
    for origen, destino in etapas()[imagen].copias.items():
        if destino.startswith("/app/"):
            fin = carpeta / destino.removeprefix("/app/")
            fin.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (RAIZ / origen).is_dir() else shutil.copy)(RAIZ / origen, fin)
    return carpeta


def pedir(url: str, cuerpo: bytes | None = None) -> int | None:
    """The answer's status; None if there is none."""
    try:
        with urlopen(Request(url, cuerpo, {"Content-Type": "application/json"}), timeout=5) as respuesta:
            return int(respuesta.status)
    except HTTPError as error:
        return error.code
    except URLError:
        return None


PROGRAMAS: Final = sorted({(etapa(c), programa) for c in [*de_compose(), *de_kubernetes()] for programa in c.programas})


@pytest.mark.parametrize(("imagen", "programa"), PROGRAMAS)
def test_what_an_image_holds_is_enough_for_its_programs(imagen: str, programa: str, tmp_path: Path) -> None:
    orden = [sys.executable, *([programa] if programa.endswith(".py") else ["-m", programa]), "--help"]
    hecho = subprocess.run(orden, cwd=poner(imagen, tmp_path), env={}, capture_output=True, text=True, check=False)
    assert hecho.returncode == 0, hecho.stderr


def test_the_image_of_the_bff_serves_and_encodes_what_is_sent(tmp_path: Path) -> None:
    puerto, nadie = libres(2)
    entorno = {"BFF_PORT": str(puerto), "BROKER_PORT": str(nadie), "DB_PORT": str(nadie)}
    with subprocess.Popen([sys.executable, "-m", "bff"], cwd=poner("bff", tmp_path), env=entorno) as proceso:
        try:
            url = f"http://127.0.0.1:{puerto}"
            esperar("the BFF", lambda: pedir(f"{url}/health") == 200)
            assert pedir(f"{url}/docs") == 200
            assert pedir(f"{url}/productos", b'{"nombre": "Test", "stock": 10}') == 503
        finally:
            proceso.send_signal(signal.SIGTERM)
    assert proceso.returncode == 0


def test_the_image_of_the_tools_builds_the_same_packages_as_the_repository(tmp_path: Path) -> None:
    for carpeta, nombre in ((RAIZ, "a"), (poner("tools", tmp_path / "app"), "b")):
        orden = [sys.executable, "pulsar-admin-scripts/package.py", str(tmp_path / nombre)]
        subprocess.run(orden, cwd=carpeta, check=True, capture_output=True)
    hechos = {ruta.name: ruta.read_bytes() for ruta in (tmp_path / "a").iterdir()}
    assert hechos == {ruta.name: ruta.read_bytes() for ruta in (tmp_path / "b").iterdir()}
    assert len(hechos) == 14


def test_the_builder_gets_what_is_copied_and_nothing_secret() -> None:
    lineas = (DEPLOYMENT / "docker" / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    assert lineas[1] == "*"
    dejados = {Path(linea[1:]) for linea in lineas if linea.startswith("!")}
    for dicha in etapas().values():
        for origen in map(Path, dicha.copias):
            assert (RAIZ / origen).exists(), origen
            assert dejados & {origen, *origen.parents}, origen
    for secreta in (Path("deployment/secrets"), Path("deployment/kubernetes/secrets")):
        assert not dejados & {secreta, *secreta.parents}
