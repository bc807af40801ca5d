"""Compose and Kubernetes files: their form, and that they agree with each other and with what the programs read."""

import base64
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.support.kubernetes_schemas import SCHEMAS, failures, kubernetes_failures
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
    make_secrets,
    resources,
    variables_of,
)

CONTAINERS: Final = [*compose_containers(), *kubernetes_containers()]


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


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on the PATH: it builds the kustomizations")
def test_kubectl_builds_the_kustomizations_and_each_secret_holds_what_its_file_holds(tmp_path: Path) -> None:
    objects = built(KUBERNETES) + built(make_secrets(tmp_path / "secrets"))
    assert [missing for manifest in objects for missing in kubernetes_failures(manifest)] == []
    assert {manifest["metadata"]["namespace"] for manifest in objects} == {KUSTOMIZATION["namespace"]}
    secrets = [(o["metadata"]["name"], o["data"]) for o in objects if o["kind"] == "Secret"]
    files = {(name, key): base64.b64decode(value) for name, data in secrets for key, value in data.items()}
    assert files == {pair: (tmp_path / "secrets" / file).read_bytes() for pair, file in generated().items()}
    images = re.findall(rf"'image': '{IMAGE_PREFIX}(\S+)'", str(objects))
    assert len(images) == 7
    assert all(":" in image for image in images)


def built(folder: Path) -> list[dict[str, Any]]:
    """The objects that kubectl makes of a kustomization."""
    command = ["kubectl", "kustomize", str(folder)]
    completed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert completed.returncode == 0, completed.stderr
    return list(yaml.safe_load_all(completed.stdout))


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda c: c.location)
def test_every_variable_is_one_that_the_program_reads(container: Container) -> None:
    if not container.programs:
        assert container.location in ("compose pulsar", "Deployment operator")
        return
    known = {variable for program in container.programs for variable in variables_of(program)}
    assert container.env.keys() - container.shared_variables <= known


def test_every_address_is_one_that_some_program_reads() -> None:
    assert config_map().keys() <= {v for c in kubernetes_containers() for p in c.programs for v in variables_of(p)}


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl on the PATH: it builds the kustomizations")
def test_the_overlay_that_the_readme_proposes_builds_with_the_ingress_and_without(tmp_path: Path) -> None:
    shutil.copytree(KUBERNETES, tmp_path / "deployment" / "kubernetes", ignore=shutil.ignore_patterns("secrets"))
    (example,) = re.findall(r"```yaml\n(.*?)```", (DEPLOYMENT / "README.md").read_text("utf-8"), re.DOTALL)
    described = yaml.safe_load(example)
    without_ingress = {key: value for key, value in described.items() if key != "components"}
    without_ingress["patches"] = [p for p in described["patches"] if p["target"]["kind"] == "ConfigMap"]
    for name, overlay in (("with", described), ("without", without_ingress)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "kustomization.yaml").write_text(yaml.safe_dump(overlay), "utf-8")
        objects = built(tmp_path / name)
        assert [missing for manifest in objects for missing in kubernetes_failures(manifest)] == []
        assert {manifest["metadata"]["namespace"] for manifest in objects} == {KUSTOMIZATION["namespace"]}
        images = re.findall(r"'image': '(\S+)'", str(objects))
        assert len(images) == 7
        assert all(image.startswith("registry.example/") and image.endswith(":1") for image in images)
        assert "'DB_HOSTNAME': 'postgres.example'" in str(objects)
        assert ("'host': 'orders.mine.example'" in str(objects)) is (name == "with")
        assert ("{'name': 'BFF_PROXIES', 'value': '1'}" in str(objects)) is (name == "with")
        (bff,) = [o["spec"] for o in objects if o["kind"] == "NetworkPolicy" and o["metadata"]["name"] == "bff"]
        assert ("from" in bff["ingress"][0]) is (name == "with")
