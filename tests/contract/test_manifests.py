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

from tests.support.manifests import (
    COMPOSE,
    DEPLOYMENT,
    IMAGE_PREFIX,
    KUBERNETES,
    KUSTOMIZATION,
    Container,
    compose_containers,
    config_map,
    generated,
    kubernetes_containers,
    resources,
    variables_of,
)

SCHEMAS: Final = Path(__file__).parent / "manifests"
CONTAINERS: Final = [*compose_containers(), *kubernetes_containers()]


def failures(document: Any, schema: Any, part: str = "") -> list[str]:
    registry: Registry[Any] = Registry().with_resource("esquema", Resource.from_contents(schema))
    root = {"$schema": schema["$schema"], "$ref": f"esquema#{part}"}
    validator = Draft202012Validator(root, registry=registry)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def kubernetes_failures(manifest: dict[str, Any]) -> list[str]:
    """None known: a kind, or a version of it, that the schema does not have."""
    schema = json.loads((SCHEMAS / "kubernetes-1.34.json").read_text("utf-8"))
    group, _, version = manifest["apiVersion"].rpartition("/")
    wanted = {"group": group, "kind": manifest["kind"], "version": version}
    (name,) = [n for n, d in schema["$defs"].items() if wanted in d.get("x-kubernetes-group-version-kind", ())]
    return failures(manifest, schema, f"/$defs/{name}")


def test_compose_has_the_form_of_the_specification() -> None:
    assert failures(COMPOSE, json.loads((SCHEMAS / "compose-spec.json").read_text("utf-8"))) == []


@pytest.mark.parametrize("manifest", resources(), ids=lambda o: f"{o['kind']} {o['metadata']['name']}")
def test_kubernetes_objects_have_the_form_that_the_server_wants(manifest: dict[str, Any]) -> None:
    assert kubernetes_failures(manifest) == []


def test_a_misspelt_field_is_seen() -> None:
    deployment = next(manifest for manifest in resources() if manifest["kind"] == "Deployment")
    deployment["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    assert len(kubernetes_failures(deployment)) == 1
    bad = COMPOSE | {"services": {"bff": {"depend_on": []}}}
    assert len(failures(bad, json.loads((SCHEMAS / "compose-spec.json").read_text("utf-8")))) == 1


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on the PATH: it builds the kustomization")
def test_kubectl_builds_the_kustomization_and_each_secret_holds_what_its_file_holds(tmp_path: Path) -> None:
    ignore = shutil.ignore_patterns("secrets")
    clone = shutil.copytree(KUBERNETES, tmp_path / "kubernetes", ignore=ignore)
    subprocess.run(["sh", DEPLOYMENT / "make-secrets", clone / "secrets"], check=True, capture_output=True)
    completed = subprocess.run(["kubectl", "kustomize", clone], capture_output=True, text=True, timeout=60, check=False)
    assert completed.returncode == 0, completed.stderr
    objects = list(yaml.safe_load_all(completed.stdout))
    assert [missing for manifest in objects for missing in kubernetes_failures(manifest)] == []
    assert {manifest["metadata"]["namespace"] for manifest in objects} == {KUSTOMIZATION["namespace"]}
    names = {(o["metadata"]["name"], key) for o in objects if o["kind"] == "Secret" for key in o["data"]}
    assert names == generated().keys()
    images = re.findall(rf"image: {IMAGE_PREFIX}(\S+)", completed.stdout)
    assert len(images) == 5
    assert all(":" in image for image in images)


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda c: c.location)
def test_every_variable_is_one_that_the_program_reads(container: Container) -> None:
    if not container.programs:
        assert container.location == "compose pulsar"
        return
    known = {variable for program in container.programs for variable in variables_of(program)}
    assert container.env.keys() - container.shared_variables <= known


def test_every_address_is_one_that_some_program_reads() -> None:
    assert config_map().keys() <= {v for c in kubernetes_containers() for p in c.programs for v in variables_of(p)}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on the PATH: it builds the kustomization")
def test_the_overlay_that_the_readme_proposes_builds(tmp_path: Path) -> None:
    shutil.copytree(KUBERNETES, tmp_path / "deployment" / "kubernetes", ignore=shutil.ignore_patterns("secrets"))
    folder = tmp_path / "deployment" / "kubernetes" / "secrets"
    subprocess.run(["sh", DEPLOYMENT / "make-secrets", folder], check=True, capture_output=True)
    (example,) = re.findall(r"```yaml\n(.*?)```", (DEPLOYMENT / "README.md").read_text("utf-8"), re.DOTALL)
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "kustomization.yaml").write_text(example, "utf-8")
    command = ["kubectl", "kustomize", str(tmp_path / "overlay")]
    completed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    images = re.findall(r"image: (\S+)", completed.stdout)
    assert len(images) == 5
    assert all(image.startswith("registry.example/") and image.endswith(":1") for image in images)
    assert "DB_HOSTNAME: postgres.example" in completed.stdout
