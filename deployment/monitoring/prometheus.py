"""Prometheus and promtool: Debian's package, pinned by its sha256, unpacked into the cache. Nothing is installed.

Run it to have them offline.
"""

from __future__ import annotations

from functions.program.run import run

if __name__ == "__main__":
    run("deployment.monitoring.prometheus")  # loads it under its own name, and never returns

import argparse
import platform
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from deployment.local.errors import PlatformError
from deployment.local.jars import cache

VERSION: Final = "2.42.0+ds-5+deb12u1"
SHA256: Final = {
    "x86_64": ("amd64", "81d59a24fce84f7fbe97a45a4f2914b6a5881b5cd1db2a6a0e129e515e1a5f55"),
    "aarch64": ("arm64", "ca131aa102390083398afbc80be9c8dd1dda78f9f92154fc00df8f7f1f4556e9"),
}
FILES: Final = "usr/bin/prometheus", "usr/bin/promtool", "usr/share/prometheus/web"


def folder() -> Path:
    """The folder with both programs; asks the machine's Debian mirror only if they are not there yet.

    Where that has no such package, those that PATH finds are taken.
    """
    target = cache() / f"prometheus-{VERSION.partition('+')[0]}"
    if not target.exists():
        try:
            _obtain(target)
        except PlatformError:
            if found := shutil.which("promtool"):
                return Path(found).parent
            raise
    return target


def main() -> None:
    argparse.ArgumentParser("python -m deployment.monitoring.prometheus", description=__doc__).parse_args()
    try:
        print(f"  Prometheus is in {folder()}")
    except PlatformError as problem:
        sys.exit(f"error: {problem}")


def _obtain(target: Path) -> None:
    print(f"downloading Prometheus into {target} …", file=sys.stderr, flush=True)
    cache().mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="prometheus-new-", dir=cache()) as new:
        package, files = Path(new, "package.deb"), Path(new, "files")
        _download(package)
        _run(["dpkg-deb", "-x", str(package), str(files)])
        result = Path(new, "result")
        result.mkdir()
        for name in FILES:
            (files / name).rename(result / Path(name).name)
        with suppress(OSError):  # somebody else was faster
            result.rename(target)


def _download(package: Path) -> None:
    """From the first of the machine's package sources that has it; apt checks the sha256."""
    machine = platform.machine()
    if machine not in SHA256:
        raise PlatformError(f"Prometheus is pinned for {', '.join(SHA256)}, not for {machine}: install it")
    architecture, sha256 = SHA256[machine]
    path = f"pool/main/p/prometheus/prometheus_{VERSION}_{architecture}.deb"
    sources = dict.fromkeys(_run(["apt-get", "indextargets", "--format", "$(REPO_URI)"]).split())
    problems = []
    for source in sources:
        try:
            _run(["/usr/lib/apt/apt-helper", "download-file", source + path, str(package), f"SHA256:{sha256}"])
        except PlatformError as problem:
            problems.append(str(problem))
        else:
            return
    raise PlatformError("\n".join(["no package source of this machine gave Prometheus: install it", *problems]))


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise PlatformError(f"{command[0]}: {problem}; install Prometheus") from problem
    if done.returncode:
        raise PlatformError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout
