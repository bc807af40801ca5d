"""Passwords of the containers: who gets which, that nobody sees them, and the two shell scripts."""

import os
import re
import shutil
import stat
import subprocess
import sys
from ast import literal_eval
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from package import configuraciones

from tests.manifiestos import (
    COMPOSE,
    DEPLOYMENT,
    KUBERNETES,
    Contenedor,
    de_compose,
    de_kubernetes,
    generados,
    leidas,
    pods,
    secretos,
)
from tests.plataforma import RAIZ

CONTENEDORES: Final = [*de_compose(), *de_kubernetes()]
SECRETO: Final = re.compile("PASSWORD|SECRET|TOKEN")


@pytest.fixture
def claves(tmp_path: Path) -> Path:
    """A folder as make-secrets makes it."""
    subprocess.run(["sh", DEPLOYMENT / "make-secrets", tmp_path / "secrets"], check=True, capture_output=True)
    return tmp_path / "secrets"


def con_claves(carpeta: Path, nombres: Mapping[str, str], *orden: str) -> str:
    """What a command prints that `with-secrets` runs; `nombres`: variable and file."""
    montada = carpeta.with_name("run")
    montada.mkdir()
    for variable, archivo in nombres.items():
        shutil.copy(carpeta / archivo, montada / variable)
    entorno = {"PATH": os.environ["PATH"], "SECRETS_FOLDER": str(montada)}
    orden = ("sh", str(DEPLOYMENT / "docker" / "with-secrets"), *orden)
    return subprocess.run(orden, env=entorno, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("contenedor", CONTENEDORES, ids=lambda c: c.donde)
def test_whoever_needs_passwords_gets_all_of_them_and_no_others(contenedor: Contenedor) -> None:
    claves = {nombre for nombre in contenedor.entorno if SECRETO.search(nombre)}
    assert all(contenedor.entorno[clave] is None for clave in claves)
    for programa in contenedor.programas:
        pedidas = {v for v in leidas(programa) if SECRETO.search(v)}
        if programa == "deployment.databases.prune":
            pedidas = {"DB_ADMIN_PASSWORD"}
        assert claves == pedidas


def test_every_secret_of_a_function_is_in_the_worker_and_in_kubernetes_made_of_the_same_file() -> None:
    pedidos = {nombre: s for config in configuraciones().values() for nombre, s in config["secrets"].items()}
    assert secretos(COMPOSE["services"]["pulsar"]) == {nombre: nombre for nombre in pedidos}
    for nombre, pedido in pedidos.items():
        assert generados()[(pedido["path"], pedido["key"])] == f"secrets/{nombre}"


def test_a_role_has_the_same_password_in_the_database_and_in_the_program_that_uses_it() -> None:
    env = {donde: c.get("env", []) for donde, pod in pods() for c in pod["containers"]}
    refs = {d: {v["name"]: v["valueFrom"]["secretKeyRef"] for v in vs if "valueFrom" in v} for d, vs in env.items()}
    archivos = {d: {n: generados()[(r["name"], r["key"])] for n, r in rs.items()} for d, rs in refs.items()}
    assert archivos["Job databases"] == {n: f"secrets/{n}" for n in archivos["Job databases"]}
    assert archivos["CronJob prune"] == {"DB_ADMIN_PASSWORD": "secrets/DB_ADMIN_PASSWORD"}
    del_bff = {"DB_PASSWORD": "DB_PASSWORD_BFF", "BFF_JWT_SECRET": "BFF_JWT_SECRET"}
    assert archivos["Deployment bff"] == {n: f"secrets/{archivo}" for n, archivo in del_bff.items()}
    assert secretos(COMPOSE["services"]["bff"]) == del_bff


def a_la_vista(nodo: Any, nombre: str = "") -> list[str]:
    """The names of passwords whose values a document says."""
    if isinstance(nodo, dict):
        propio = nodo.get("name", "")
        de_secreto = nodo.get("kind") == "Secret"
        hijos = [a_la_vista(v, propio if k == "value" else k) for k, v in nodo.items()]
        return [n for vistos in hijos for n in vistos] + ([f"Secret {nodo['metadata']['name']}"] if de_secreto else [])
    if isinstance(nodo, list):
        return [n for miembro in nodo for n in a_la_vista(miembro, nombre)]
    if isinstance(nodo, bool) or nodo is None:
        return []
    asignado, igual, texto = str(nodo).rpartition("=")
    dicho = re.search(r"(password|secret|token)$", asignado if igual else nombre, re.IGNORECASE)
    de_archivo = re.fullmatch(r"secrets/\w+", texto)
    return [nombre] if (dicho and not de_archivo) or re.search(r"://[^/\s]*:[^/\s]*@", str(nodo)) else []


def test_no_file_has_a_password_in_it() -> None:
    rutas = [DEPLOYMENT / "compose.yaml", *KUBERNETES.glob("*.yaml"), *(DEPLOYMENT / "functions").glob("*.yaml")]
    documentos = [(r.name, d) for r in rutas for d in yaml.safe_load_all(r.read_text("utf-8"))]
    assert [(nombre, visto) for nombre, documento in documentos for visto in a_la_vista(documento)] == []


@pytest.mark.parametrize(
    "plantado",
    [
        "services: {postgres: {environment: {POSTGRES_PASSWORD: hunter2}}}",
        "services: {postgres: {environment: [POSTGRES_PASSWORD=hunter2]}}",
        "containers: [{env: [{name: DB_PASSWORD, value: hunter2}]}]",
        "secretGenerator: [{name: saga, literals: [password=hunter2]}]",
        "{kind: Secret, metadata: {name: saga}, stringData: {x: hunter2}}",
        "args: [--url, 'postgresql://saga:hunter2@postgres/saga']",
    ],
)
def test_a_password_that_is_planted_is_seen(plantado: str) -> None:
    assert len(a_la_vista(yaml.safe_load(plantado))) == 1


@pytest.mark.skipif(not (RAIZ / ".git").exists(), reason="no git repository")
def test_git_does_not_see_the_files_with_passwords() -> None:
    carpetas = {Path(s["file"]).parent for s in COMPOSE["secrets"].values()}
    rutas = [DEPLOYMENT / carpeta / "x" for carpeta in carpetas] + [KUBERNETES / "secrets" / "x"]
    for ruta in rutas:
        assert subprocess.run(["git", "check-ignore", "--quiet", ruta], cwd=RAIZ, check=False).returncode == 0


def test_make_secrets_makes_what_compose_and_kubernetes_want_once(claves: Path) -> None:
    antes = {ruta.name: ruta.read_text() for ruta in claves.iterdir()}
    assert {f"secrets/{nombre}" for nombre in antes} == {s["file"] for s in COMPOSE["secrets"].values()}
    assert {f"secrets/{nombre}" for nombre in antes} == set(generados().values())
    assert len(set(antes.values())) == len(antes)
    assert all(re.fullmatch(r"[0-9a-f]{64}", valor) for valor in antes.values())
    assert stat.S_IMODE(claves.stat().st_mode) == 0o700
    (claves / "DB_PASSWORD_SAGA").unlink()
    subprocess.run(["sh", DEPLOYMENT / "make-secrets", claves], check=True, capture_output=True)
    despues = {ruta.name: ruta.read_text() for ruta in claves.iterdir()}
    assert despues.keys() == antes.keys()
    assert [nombre for nombre in antes if antes[nombre] != despues[nombre]] == ["DB_PASSWORD_SAGA"]


def test_with_secrets_gives_a_program_its_passwords_and_becomes_it(claves: Path) -> None:
    codigo = "import os; print({n: v for n, v in os.environ.items() if 'PASSWORD' in n}, os.getppid())"
    impreso = con_claves(claves, {"DB_PASSWORD": "DB_PASSWORD_BFF"}, sys.executable, "-c", codigo)
    dicho, _, padre = impreso.strip().rpartition(" ")
    assert literal_eval(dicho) == {"DB_PASSWORD": (claves / "DB_PASSWORD_BFF").read_text()}
    assert int(padre) == os.getpid()
