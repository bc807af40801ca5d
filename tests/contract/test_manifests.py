"""Compose and Kubernetes files: their form, and that they agree with each other and with what the programs read."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from jsonschema import Draft202012Validator
from package import configuraciones
from referencing import Registry, Resource

from tests.manifiestos import (
    COMPOSE,
    DEPLOYMENT,
    KUBERNETES,
    KUSTOMIZATION,
    NUESTRAS,
    Contenedor,
    de_compose,
    de_kubernetes,
    direcciones,
    generados,
    leidas,
    pods,
    recursos,
    secretos,
)
from tests.plataforma import RAIZ

ESQUEMAS: Final = Path(__file__).parent / "manifests"
CONTENEDORES: Final = [*de_compose(), *de_kubernetes()]
SECRETO: Final = re.compile("PASSWORD|SECRET|TOKEN")


def fallos(documento: Any, esquema: Any, parte: str = "") -> list[str]:
    registro: Registry[Any] = Registry().with_resource("esquema", Resource.from_contents(esquema))
    raiz = {"$schema": esquema["$schema"], "$ref": f"esquema#{parte}"}
    validador = Draft202012Validator(raiz, registry=registro)
    return [f"{error.json_path}: {error.message}" for error in validador.iter_errors(documento)]


def fallos_kubernetes(objeto: dict[str, Any]) -> list[str]:
    """None known: a kind, or a version of it, that the schema does not have."""
    esquema = json.loads((ESQUEMAS / "kubernetes-1.34.json").read_text("utf-8"))
    grupo, _, version = objeto["apiVersion"].rpartition("/")
    buscada = {"group": grupo, "kind": objeto["kind"], "version": version}
    (nombre,) = [n for n, d in esquema["$defs"].items() if buscada in d.get("x-kubernetes-group-version-kind", ())]
    return fallos(objeto, esquema, f"/$defs/{nombre}")


def test_compose_has_the_form_of_the_specification() -> None:
    assert fallos(COMPOSE, json.loads((ESQUEMAS / "compose-spec.json").read_text("utf-8"))) == []


@pytest.mark.parametrize("objeto", recursos(), ids=lambda o: f"{o['kind']} {o['metadata']['name']}")
def test_kubernetes_objects_have_the_form_that_the_server_wants(objeto: dict[str, Any]) -> None:
    assert fallos_kubernetes(objeto) == []


def test_a_misspelt_field_is_seen() -> None:
    deployment = next(objeto for objeto in recursos() if objeto["kind"] == "Deployment")
    deployment["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    assert len(fallos_kubernetes(deployment)) == 1
    mal = COMPOSE | {"services": {"bff": {"depend_on": []}}}
    assert len(fallos(mal, json.loads((ESQUEMAS / "compose-spec.json").read_text("utf-8")))) == 1


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on the PATH: it builds the kustomization")
def test_kubectl_builds_the_kustomization_and_each_secret_holds_what_its_file_holds(tmp_path: Path) -> None:
    ignorar = shutil.ignore_patterns("secrets")
    copia = shutil.copytree(KUBERNETES, tmp_path / "kubernetes", ignore=ignorar)
    subprocess.run(["sh", DEPLOYMENT / "make-secrets", copia / "secrets"], check=True, capture_output=True)
    hecho = subprocess.run(["kubectl", "kustomize", copia], capture_output=True, text=True, timeout=60, check=False)
    assert hecho.returncode == 0, hecho.stderr
    objetos = list(yaml.safe_load_all(hecho.stdout))
    assert [falta for objeto in objetos for falta in fallos_kubernetes(objeto)] == []
    assert {objeto["metadata"]["namespace"] for objeto in objetos} == {KUSTOMIZATION["namespace"]}
    nombres = {(o["metadata"]["name"], clave) for o in objetos if o["kind"] == "Secret" for clave in o["data"]}
    assert nombres == generados().keys()
    imagenes = re.findall(rf"image: {NUESTRAS}(\S+)", hecho.stdout)
    assert len(imagenes) == 5
    assert all(":" in imagen for imagen in imagenes)


@pytest.mark.parametrize("contenedor", CONTENEDORES, ids=lambda c: c.donde)
def test_every_variable_is_one_that_the_program_reads(contenedor: Contenedor) -> None:
    if not contenedor.programas:
        assert contenedor.donde == "compose pulsar"
        return
    conocidas = {variable for programa in contenedor.programas for variable in leidas(programa)}
    assert contenedor.entorno.keys() - contenedor.comun <= conocidas


def test_every_address_is_one_that_some_program_reads() -> None:
    assert direcciones().keys() <= {v for c in de_kubernetes() for p in c.programas for v in leidas(p)}


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
