"""Topics as people name them, `ordenes/evento-orden`, and their full names."""

import re
from collections.abc import Collection
from functools import cache
from typing import Final

from admin import TENANT
from package import configuraciones

PREFIJO: Final = f"persistent://{TENANT}/"
HISTORIA: Final = f"{PREFIJO}despliegues/historia"
"""What was deployed: a message for each function and version."""
RETIENE: Final = "historia"
"""The subscription that keeps them: what it has acknowledged may go."""
_PARTICION: Final = re.compile(r"-partition-\d+$")


def corto(topic: str) -> str:
    """`ordenes/evento-orden`, for people."""
    return topic.removeprefix(PREFIJO)


def sin_particion(topic: str) -> str:
    return _PARTICION.sub("", topic)


@cache
def cartas() -> tuple[str, ...]:
    """Every function's dead-letter topic."""
    return tuple(f"{config['namespace']}/{config['name']}-dlq" for config in configuraciones().values())


def exigir(topic: str, conocidos: Collection[str]) -> str:
    """Its short name; ValueError that lists what there is."""
    if corto(topic) not in conocidos:
        raise ValueError(f"there is no topic {topic}; there are {', '.join(conocidos)}")
    return corto(topic)
