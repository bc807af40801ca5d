"""What the parts of the benchmark share: the platform, the sizes, and what was measured before."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.plataforma import Plataforma


@dataclass(frozen=True, slots=True)
class Tamanos:
    """How much is measured."""

    ordenes: int
    """In the backlog."""
    segundos: float
    """Of each round over HTTP."""
    clientes: tuple[int, ...]
    sueltas: int
    """Single orders."""
    reposo: float
    """So long idleness is watched, in s."""
    plazos: bool
    """Whether the check two minutes after each order is measured too."""
    guardadas: tuple[int, ...]
    """Orders that are stored already while a backlog is worked off, ascending."""
    paralelismos: tuple[int, ...]
    """Instances of one function."""


@dataclass(frozen=True, slots=True)
class Banco:
    platform: Plataforma
    tamanos: Tamanos
    partes: dict[str, Any] = field(default_factory=dict)
    """Results by part, as JSON has them."""

    @property
    def bff(self) -> tuple[str, int]:
        partes = urlsplit(self.platform.bff_url)
        return str(partes.hostname), int(partes.port or 80)
