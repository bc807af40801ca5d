"""The images that ours begin with, made here: see stand-ins/Dockerfile. They are kept for the next run."""

import hashlib
import sysconfig
import tempfile
from pathlib import Path
from typing import Final

from deployment.local import jars
from deployment.local.cluster import postgres_tls
from tests.containers import machine
from tests.containers.engine import Engine
from tests.support.platform import ROOT

PREFIX: Final = "localhost/stand-ins/"
SUITE: Final = "trixie"
"""Debian's, as in the official image of Python; its Python is of the same version."""
_PYTHON: Final = ("python3", "python3-pip", "python3-venv", "python3-yaml", "ca-certificates", "curl")
DEBIANS: Final = {"debian": _PYTHON, "java": (*_PYTHON, "openjdk-21-jdk-headless")}
"""What is installed in each."""
TARGETS: Final = ("pulsar", "python", "postgres")


def make(engine: Engine) -> dict[str, str]:
    """The name of each stand-in's image, by its target."""
    debians = {name: _debian(engine, name) for name in DEBIANS}
    local = ROOT / "deployment" / "local"
    contexts = {
        "jars": jars.folder(),
        "instance": local / "instance",
        "templates": local / "templates",
        "postgres-tls": postgres_tls.programs().parent,
        "packages": Path(sysconfig.get_path("platlib")),
    }
    images = {target: f"{PREFIX}{target}:latest" for target in TARGETS}
    for target, image in images.items():
        engine.podman(
            "build",
            "--isolation=chroot",
            f"--target={target}",
            f"--tag={image}",
            *(f"--build-arg={name.upper()}={image}" for name, image in debians.items()),
            *(f"--build-context={name}={folder}" for name, folder in contexts.items()),
            str(Path(__file__).parent / "stand-ins"),
        )
    return images


def _debian(engine: Engine, name: str) -> str:
    """The image of a Debian with some packages; made once for each list of them."""
    packages = DEBIANS[name]
    image = f"{PREFIX}{name}:{hashlib.sha256(' '.join((SUITE, *packages)).encode()).hexdigest()[:12]}"
    if engine.succeeds("image", "exists", image):
        return image
    print(f"  {name}: Debian {SUITE} with {', '.join(packages)} …", flush=True)
    with tempfile.TemporaryDirectory(dir=engine.folder) as work:
        archive, sources = Path(work, "debian.tar"), Path(work, "sources.list")
        sources.write_text(machine.sources(SUITE), "utf-8")
        options = ["--quiet", "--variant=minbase", f"--include={','.join(packages)}"]
        where = [str(sources)] if sources.stat().st_size else []
        engine.run(["mmdebstrap", *options, SUITE, str(archive), *where])
        engine.podman("import", "--quiet", str(archive), image)
    return image
