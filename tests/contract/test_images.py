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
from tools.cluster.repository import function_configs

from tests.support.manifests import (
    DEPLOYMENT,
    IMAGE_PREFIX,
    Container,
    compose_containers,
    kubernetes_containers,
    stages,
)
from tests.support.platform import ROOT, free_ports, wait_for


def stage(container: Container) -> str:
    """The stage of the Dockerfile that its image is."""
    return container.image.removeprefix(IMAGE_PREFIX).partition(":")[0]


def copy_stage(image: str, folder: Path) -> Path:
    """What a stage copies to /app, in a folder."""
    for source, target in stages()[image].copies.items():
        if target.startswith("/app/"):
            copied = folder / target.removeprefix("/app/")
            copied.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (ROOT / source).is_dir() else shutil.copy)(ROOT / source, copied)
    return folder


def request(url: str, body: bytes | None = None) -> int | None:
    """The answer's status; None if there is none."""
    try:
        with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=5) as response:
            return int(response.status)
    except HTTPError as error:
        return error.code
    except URLError:
        return None


PROGRAMS: Final = sorted(
    {(stage(c), program) for c in [*compose_containers(), *kubernetes_containers()] for program in c.programs}
)


@pytest.mark.parametrize(("image", "program"), PROGRAMS)
def test_what_an_image_holds_is_enough_for_its_programs(image: str, program: str, tmp_path: Path) -> None:
    command = [sys.executable, *([program] if program.endswith(".py") else ["-m", program]), "--help"]
    completed = subprocess.run(
        command, cwd=copy_stage(image, tmp_path), env={}, capture_output=True, text=True, check=False
    )
    assert completed.returncode == 0, completed.stderr


def test_the_image_of_the_bff_serves_and_encodes_what_is_sent(tmp_path: Path) -> None:
    port, closed_port = free_ports(2)
    env = {"BFF_PORT": str(port), "BROKER_PORT": str(closed_port), "DB_PORT": str(closed_port)}
    with subprocess.Popen([sys.executable, "-m", "bff"], cwd=copy_stage("bff", tmp_path), env=env) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for("the BFF", lambda: request(f"{url}/health") == 200)
            assert request(f"{url}/docs") == 200
            assert request(f"{url}/productos", b'{"nombre": "Test", "stock": 10}') == 503
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def test_the_image_of_the_tools_builds_the_same_packages_as_the_repository(tmp_path: Path) -> None:
    for folder, name in ((ROOT, "a"), (copy_stage("tools", tmp_path / "app"), "b")):
        command = [sys.executable, "pulsar-admin-scripts/package.py", str(tmp_path / name)]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    built = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    assert built == {path.name: path.read_bytes() for path in (tmp_path / "b").iterdir()}
    assert set(built) == {f"{name}.zip" for name in function_configs()}


def test_the_builder_gets_what_is_copied_and_nothing_secret() -> None:
    lines = (DEPLOYMENT / "docker" / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    assert lines[1] == "*"
    allowed = {Path(line[1:]) for line in lines if line.startswith("!")}
    for stage in stages().values():
        for source in map(Path, stage.copies):
            assert (ROOT / source).exists(), source
            assert allowed & {source, *source.parents} or any(path.is_relative_to(source) for path in allowed), source
    for secret_path in (Path("deployment/secrets"), Path("deployment/kubernetes/secrets")):
        assert not allowed & {secret_path, *secret_path.parents}
