"""podman with images, containers and networks of its own: what others have on this machine is not touched."""

import json
import os
import resource
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deployment.local import jars
from deployment.local.setup import wait_for
from tests.containers.errors import ContainersError


class Engine:
    """podman, with all that it keeps in one folder. Images stay for the next time; `clean` removes the rest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "containers.conf").write_text(_containers_conf(folder), "utf-8")
        (folder / "storage.conf").write_text(_storage_conf(folder), "utf-8")
        self.env = os.environ | {
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        }

    def podman(self, *arguments: str) -> str:
        """What the command printed; ContainersError if it failed."""
        return self.run(["podman", *arguments])

    def run(self, command: Sequence[str], cwd: Path | None = None, timeout: float = 900) -> str:
        """What a command printed that starts podman. ContainersError, with what it said, if it failed or did not end
        within `timeout` s.
        """
        try:
            result = subprocess.run(
                command, cwd=cwd, env=self.env, capture_output=True, text=True, check=False, timeout=timeout
            )
        except subprocess.TimeoutExpired as error:
            raise ContainersError(f"not within {timeout:.0f} s: {' '.join(command)}") from error
        if result.returncode:
            text = (result.stdout + result.stderr)[-4000:]
            raise ContainersError(f"{' '.join(command)}\nended with {result.returncode}:\n{text}")
        return result.stdout

    def succeeds(self, *arguments: str) -> bool:
        """True if podman ends with 0."""
        command = ["podman", *arguments]
        return subprocess.run(command, env=self.env, capture_output=True, check=False, timeout=120).returncode == 0

    def inspect(self, container: str) -> dict[str, Any]:
        """All that podman tells of a container."""
        found: dict[str, Any] = json.loads(self.podman("container", "inspect", container))[0]
        return found

    def leftovers(self) -> list[str]:
        """Containers, volumes and networks; nothing, if all was taken down."""
        containers = self.podman("ps", "--all", "--format", "container {{.Names}}")
        volumes = self.podman("volume", "ls", "--format", "volume {{.Name}}")
        networks = self.podman("network", "ls", "--format", "network {{.Name}}")
        return [line for line in (containers + volumes + networks).splitlines() if line != "network podman"]

    def clean(self) -> None:
        """Removes containers, volumes, networks, and images that no name leads to any more."""
        self.podman("rm", "--all", "--force", "--volumes", "--time", "0")
        self.podman("volume", "prune", "--force")
        self.podman("network", "prune", "--force")
        self.podman("image", "prune", "--force")


@contextmanager
def engine() -> Iterator[Engine]:
    """This machine's one engine for tests, without what a killed run left behind. Whoever comes second waits."""
    folder = jars.cache() / "containers"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        wait_for(lock)
        found = Engine(folder)
        found.clean()
        yield found


def _containers_conf(folder: Path) -> str:
    ulimits = [f"{name}={value}:{value}" for name, value in _limits().items()]
    return f"""[containers]
default_ulimits = {json.dumps(ulimits)}
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{folder}/tmp"
[network]
network_backend = "netavark"
network_config_dir = "{folder}/networks"
"""


def _limits() -> dict[str, int]:
    """Open files and processes that a container may have: as many as this process; podman's own limits are higher than
    some machines allow. More processes than there are ids it refuses in a build.
    """
    ids = int(Path("/proc/sys/kernel/pid_max").read_text())
    nofile, nproc = (resource.getrlimit(limit)[1] for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC))
    return {"nofile": nofile, "nproc": ids if nproc == resource.RLIM_INFINITY else min(nproc, ids)}


def _storage_conf(folder: Path) -> str:
    """With the quick driver where the kernel lets its layers lie in this folder, else with the one that copies."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        lower, upper, index, merged = (Path(work, name) for name in ("lower", "upper", "index", "merged"))
        for path in (lower, upper, index, merged):
            path.mkdir()
        layers = f"lowerdir={lower},upperdir={upper},workdir={index}"
        command = ["mount", "-t", "overlay", "overlay", "-o", layers, str(merged)]
        is_quick = subprocess.run(command, capture_output=True, check=False).returncode == 0
        if is_quick:
            subprocess.run(["umount", str(merged)], check=True)
    driver = "overlay" if is_quick else "vfs"
    return f"""[storage]
driver = "{driver}"
graphroot = "{folder}/storage-{driver}"
runroot = "{folder}/run"
[storage.options.overlay]
skip_mount_home = "true"
"""
