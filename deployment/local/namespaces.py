"""Network namespaces of Linux: each is a machine of its own, as far as the network goes."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = Path("/run/netns")
"""Where `ip netns` keeps them."""
_CLONE_NEWNET = 0x40000000


@contextmanager
def inside(name: str | None) -> Iterator[None]:
    """This thread, and what it starts, is in the namespace `name` meanwhile; where it is already, if that is None."""
    if name is None:
        yield
        return
    with Path("/proc/thread-self/ns/net").open("rb") as home, (FOLDER / name).open("rb") as there:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(home.fileno())


def _enter(descriptor: int) -> None:
    """As os.setns, which only Python 3.12 has."""
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
