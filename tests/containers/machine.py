"""Whether this machine can start containers, and what is missing for that."""

import os
import platform
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.containers.errors import ContainersError, Unsuitable

PACKAGES: Final = {
    "podman": "podman",
    "runc": "runc",  # podman's usual runtime, crun, refuses kernels with cgroups of both versions
    "netavark": "netavark",
    "aardvark-dns": "aardvark-dns",
    "iptables": "iptables",
    "catatonit": "catatonit",  # `init: true`
    "mmdebstrap": "mmdebstrap",
    "openssl": "openssl",
    "git": "git",
}
"""The programs that are needed, and the Debian package of each."""
_FOLDERS: Final = ("/usr/lib/podman", "/usr/libexec/podman", "/usr/local/libexec/podman", "/usr/sbin", "/sbin")
"""Where programs are that only other programs start, beside PATH."""


def missing_packages() -> list[str]:
    """The Debian packages of the programs that are not here."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_FOLDERS])
    return [package for program, package in PACKAGES.items() if shutil.which(program, path=path) is None]


def prepare(*, install: bool) -> None:
    """Makes sure that containers can be started here; `install`s what is missing, where it is told to.

    Raises Unsuitable if that needs another machine or another user: Linux, root, or what is missing can't be installed.
    Raises ContainersError if something is missing and is not to be installed.
    """
    if os.geteuid() != 0:
        raise Unsuitable("containers, their networks and the base images are made by root; this is another user")
    if (system := f"{platform.system()} {platform.machine()}") != "Linux x86_64":
        raise Unsuitable(f"this is {system}; the stand-in for PostgreSQL's image is for Linux x86_64")
    if not (missing := missing_packages()):
        return
    command = f"apt-get install --no-install-recommends {' '.join(missing)}"
    if shutil.which("apt-get") is None:
        raise Unsuitable(f"there is no {', no '.join(missing)}, and no apt-get to install them with")
    if not install:
        raise ContainersError(f"there is no {', no '.join(missing)}: {command}")
    print(f"installing {', '.join(missing)} …", flush=True)
    for arguments in (["update"], [*command.split()[1:], "--yes"]):
        _apt_get(arguments)


def _apt_get(arguments: list[str]) -> None:
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    result = subprocess.run(["apt-get", *arguments], env=env, capture_output=True, text=True, check=False)
    if result.returncode:
        raise Unsuitable(f"apt-get {' '.join(arguments)} failed:\n{(result.stdout + result.stderr)[-2000:]}")


def sources(suite: str) -> str:
    """A line of sources.list for a suite of Debian, from where this machine takes its own packages; empty where those
    are not Debian's: then mmdebstrap knows where to look.
    """
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(LABEL)", "Created-By: Packages"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    mirrors = [line.partition(" ")[0] for line in listed if line.endswith(" Debian Debian")]
    return f"deb [signed-by={keyring}] {mirrors[0]} {suite} main\n" if mirrors and keyring.exists() else ""
