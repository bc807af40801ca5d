"""Ids that begin with a time: what is new lies together in every index. UUIDs of versions 7 and 8 (RFC 9562).

As text, which is what messages, statements and documents take: an object for each costs more than all else that is
done with it.
"""

import hashlib
import os
import time
from typing import Final, NewType
from uuid import UUID

Id = NewType("Id", str)
"""A UUID in its canonical form."""
_FORMA: Final = b"00000000-0000-0000-0000-000000000000 "
"""Of an id whose digits are all 0, and what comes between two of them."""
_A_CERO: Final = bytes.maketrans(b"123456789abcdef", 15 * b"0")
_VARIANTE: Final = dict(zip("0123456789abcdef", 4 * "89ab", strict=True))
"""The digit that holds the variant, from a random one."""


def leer(texto: str) -> Id:
    """ValueError for what is no UUID, in whatever form."""
    return Id(texto if son(texto) else str(UUID(texto)))


def son(*textos: object) -> bool:
    """True if all are ids in their canonical form. To look at all together costs half as much as one by one."""
    try:
        juntos = " ".join(textos).encode()  # type: ignore[arg-type]
    except (TypeError, UnicodeEncodeError):
        return False
    return juntos.translate(_A_CERO) == (len(textos) * _FORMA)[:-1]


def en_bytes(id_: Id) -> bytes:
    """Its 16."""
    return bytes.fromhex(id_.replace("-", ""))


def nuevo() -> Id:
    """Random, of this millisecond."""
    ms = f"{time.time_ns() // 1_000_000:012x}"
    return _id(f"{ms[:8]}-{ms[8:]}", 7, os.urandom(10))


def derivado(de: Id, nombre: str) -> Id:
    """Always the same for the same `de` and `nombre`, of the time of `de`."""
    return _id(de[:13], 8, hashlib.sha1(en_bytes(de) + nombre.encode(), usedforsecurity=False).digest()[:10])


def _id(tiempo: str, version: int, resto: bytes) -> Id:
    r = resto.hex()
    return Id(f"{tiempo}-{version}{r[1:4]}-{_VARIANTE[r[4]]}{r[5:8]}-{r[8:]}")
