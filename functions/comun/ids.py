"""Ids that begin with a time: what is new lies together in every index. UUIDs of versions 7 and 8 (RFC 9562)."""

import hashlib
import os
import time
from typing import Final
from uuid import UUID

_AZAR: Final = ~(0xF << 76 | 0x3 << 62) & (1 << 80) - 1
"""The bits that are neither time, version nor variant."""


def nuevo() -> UUID:
    """Random, of this millisecond."""
    return _uuid(time.time_ns() // 1_000_000, 7, os.urandom(10))


def derivado(de: UUID, nombre: str) -> UUID:
    """Always the same for the same `de` and `nombre`, of the time of `de`."""
    return _uuid(de.int >> 80, 8, hashlib.sha1(de.bytes + nombre.encode(), usedforsecurity=False).digest()[:10])


def _uuid(ms: int, version: int, resto: bytes) -> UUID:
    return UUID(int=ms << 80 | version << 76 | 0b10 << 62 | int.from_bytes(resto, "big") & _AZAR)
