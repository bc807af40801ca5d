"""What people type and see: arguments that explain themselves, and nothing that a terminal would obey."""

import argparse
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

T = TypeVar("T")


def seguro(texto: str, permitidos: str = "") -> str:
    """Without control characters and the like, which are shown escaped."""
    return "".join(c if c.isprintable() or c in permitidos else c.encode("unicode_escape").decode() for c in texto)


def hora(momento: datetime) -> str:
    return momento.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def en_json(valor: Mapping[str, Any]) -> str:
    """One line, ASCII only."""
    return json.dumps(valor, default=lambda v: v.isoformat() if isinstance(v, datetime) else str(v))


def momento(texto: str) -> datetime:
    """In local time, if it names no zone."""
    return datetime.fromisoformat(texto).astimezone()


def cuantas(texto: str) -> int:
    if (numero := int(texto)) < 1:
        raise ValueError("it must be at least 1")
    return numero


def tipo(leer: Callable[[str], T]) -> Callable[[str], T]:
    """For argparse, which shows the text of this error only."""

    def leido(texto: str) -> T:
        try:
            return leer(texto)
        except (ValueError, OverflowError, re.error) as error:
            raise argparse.ArgumentTypeError(f"{texto!r}: {error}") from error

    return leido
