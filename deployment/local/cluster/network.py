"""A network namespace for each node, all on one bridge: machines of their own, that can be cut off from each other.

Made with `ip`, as root. A cut is a route to nowhere at both ends, which goes when it is healed or the cluster ends.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable

from deployment.local import namespaces
from deployment.local.cluster import nodes
from deployment.local.cluster.settings import Settings
from deployment.local.errors import PlatformError


def make(settings: Settings) -> None:
    """The bridge, and what is missing of the nodes' namespaces; safe to repeat."""
    if not settings.isolated:
        return
    bridge = settings.prefix
    if not _exists(bridge):
        _ip(
            [
                f"link add {bridge} type bridge",
                f"addr add {settings.network}.1/24 dev {bridge}",
                f"link set {bridge} up",
            ]
        )
    for name, host in nodes.HOSTS.items():
        namespace = f"{settings.prefix}-{name}"
        if (namespaces.FOLDER / namespace).exists():
            continue
        end = f"{bridge}-{host}"
        _ip([f"netns add {namespace}", f"link add {end} type veth peer name eth0 netns {namespace}"])
        _ip([f"link set {end} master {bridge}", f"link set {end} up"])
        address = f"{settings.network}.{host}/24"
        _ip(["link set lo up", f"addr add {address} dev eth0", "link set eth0 up"], namespace)


def remove(settings: Settings) -> None:
    """All of it; nothing lives there any more."""
    if not settings.isolated:
        return
    for name in nodes.HOSTS:
        if (namespaces.FOLDER / f"{settings.prefix}-{name}").exists():
            _ip([f"netns del {settings.prefix}-{name}"])
    if _exists(settings.prefix):
        _ip([f"link del {settings.prefix}"])


def cut(settings: Settings, one: str, other: str) -> None:
    """Nothing gets from one node to the other any more, in either direction."""
    for name, peer in ((one, other), (other, one)):
        _ip([f"route replace blackhole {settings.address(peer)}/32"], settings.namespace(name))


def heal(settings: Settings, one: str, other: str) -> None:
    """Undoes `cut`."""
    for name, peer in ((one, other), (other, one)):
        _ip([f"route del blackhole {settings.address(peer)}/32"], settings.namespace(name))


def _exists(link: str) -> bool:
    return subprocess.run(["ip", "link", "show", link], capture_output=True).returncode == 0


def _ip(commands: Iterable[str], namespace: str | None = None) -> None:
    """Runs `ip` once for several commands, in a namespace if one is named."""
    program = ["ip", *(["-n", namespace] if namespace else []), "-batch", "-"]
    result = subprocess.run(program, input="\n".join(commands), capture_output=True, text=True)
    if result.returncode:
        raise PlatformError(f"the network of the cluster, {' '.join(program)}: {result.stderr.strip()}")
