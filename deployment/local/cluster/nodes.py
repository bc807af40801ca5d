"""The nodes of a cluster: what each is called, and where it listens."""

from __future__ import annotations

from typing import Final

HOSTS: Final = {
    "zookeeper": 10,
    "bookie-1": 11,
    "bookie-2": 12,
    "bookie-3": 13,
    "postgres-1": 21,
    "postgres-2": 22,
    "broker-1": 31,
    "broker-2": 32,
    "functions-worker-1": 41,
    "functions-worker-2": 42,
    "bff-1": 51,
    "bff-2": 52,
}
"""The last number of each node's address, in the order in which they are started."""
PORTS: Final = {
    "zookeeper": (2281,),
    "bookie": (3181,),
    "postgres": (5432,),
    "broker": (6651, 8443),
    "functions-worker": (6751,),
    "bff": (3000,),
}
"""What a node of each kind listens on. Of a broker: the binary protocol, and HTTPS."""


def kind(name: str) -> str:
    """What a node is: `bookie` for `bookie-2`."""
    return name.rstrip("-0123456789")


def of_kind(wanted: str) -> list[str]:
    """The nodes of a kind."""
    return [name for name in HOSTS if kind(name) == wanted]
