"""Settings of one cluster: the environment first, then what its data folder remembers."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from deployment.local import settings
from deployment.local.cluster import nodes
from deployment.local.errors import PlatformError

_NETWORK: Final = re.compile(r"(10|127)\.(\d{1,3})\.(\d{1,3})")


@dataclass(frozen=True, slots=True)
class Settings:
    """`network`: the first three numbers of all its addresses. With 127 at the beginning they are the loopback
    interface's; with 10 each node has a network namespace of its own, and the bridge between them this machine's end
    as number 1.
    """

    data: Path
    network: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        data = settings.data_folder(environ)
        known = settings.remembered(data).get("settings", {}).get("network")
        named = environ.get("PLATFORM_NETWORK") or known
        if named is None:
            return cls(data, free_network(data))
        found = _NETWORK.fullmatch(named)
        if found is None or max(int(found[2]), int(found[3])) > 255:
            raise PlatformError(
                f"PLATFORM_NETWORK is {named!r}: it must be three numbers such as 10.81.7, or 127.81.7 for addresses of"
                " the loopback interface"
            )
        if known and named != known:
            raise PlatformError(f"PLATFORM_NETWORK stays {known} for the life of {data}, whose certificates name it")
        return cls(data, named)

    @property
    def isolated(self) -> bool:
        """Whether each node has a network namespace of its own."""
        return not self.network.startswith("127.")

    def address(self, name: str) -> str:
        return f"{self.network}.{nodes.HOSTS[name]}"

    def namespace(self, name: str) -> str | None:
        """The node's network namespace; None where there are none."""
        return f"{self.prefix}-{name}" if self.isolated else None

    @property
    def prefix(self) -> str:
        """What everything of this cluster that lies outside of its data folder is called."""
        return "pm" + self.network.removeprefix("10").replace(".", "-")

    def remember(self, names: Collection[str]) -> None:
        settings.remember(self.data, "cluster", names, {"network": self.network})


def can_isolate() -> bool:
    """Whether this user can make network namespaces and what connects them: tried in one that goes at once."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return False
    trial = "ip link add pm type bridge && ip link add one type veth peer name other"
    return subprocess.run(["unshare", "--net", "sh", "-c", trial], capture_output=True, check=False).returncode == 0


def free_network(data: Path) -> str:
    """Three numbers that no interface here has; another data folder begins to look elsewhere."""
    first = "10" if can_isolate() else "127"
    used = {".".join(entry.address.split(".")[:3]) for entries in psutil.net_if_addrs().values() for entry in entries}
    start = int.from_bytes(hashlib.sha256(str(data).encode()).digest()[:2], "big")
    for offset in range(1 << 16):
        number = (start + offset) % (1 << 16)
        network = f"{first}.{number >> 8}.{number & 255}"
        if network not in used and network != "127.0.0":
            return network
    raise PlatformError("no free network from 10.0.0 to 10.255.255: set PLATFORM_NETWORK")
