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
    recursos,
)

ESQUEMAS: Final = Path(__file__).parent / "manifests"
CONTENEDORES: Final = [*de_compose(), *de_kubernetes()]


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


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on the PATH: it builds the kustomization")
def test_the_overlay_that_the_readme_proposes_builds(tmp_path: Path) -> None:
    shutil.copytree(KUBERNETES, tmp_path / "deployment" / "kubernetes", ignore=shutil.ignore_patterns("secrets"))
    carpeta = tmp_path / "deployment" / "kubernetes" / "secrets"
    subprocess.run(["sh", DEPLOYMENT / "make-secrets", carpeta], check=True, capture_output=True)
    (dicha,) = re.findall(r"```yaml\n(.*?)```", (DEPLOYMENT / "README.md").read_text("utf-8"), re.DOTALL)
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "kustomization.yaml").write_text(dicha, "utf-8")
    orden = ["kubectl", "kustomize", str(tmp_path / "overlay")]
    hecho = subprocess.run(orden, capture_output=True, text=True, timeout=60, check=True)
    imagenes = re.findall(r"image: (\S+)", hecho.stdout)
    assert len(imagenes) == 5
    assert all(imagen.startswith("registry.example/") and imagen.endswith(":1") for imagen in imagenes)
    assert "DB_HOSTNAME: postgres.example" in hecho.stdout
