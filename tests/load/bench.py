"""What the parts of the benchmark share: the platform, the sizes, and what was measured before."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.support.platform import Platform


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    ordenes: int
    """In the backlog."""
    seconds: float
    """Of each round over HTTP."""
    clients: tuple[int, ...]
    single_orders: int
    """Single orders."""
    idle_seconds: float
    """So long idleness is watched, in s."""
    timeouts: bool
    """Whether the check two minutes after each order is measured too."""
    stored: tuple[int, ...]
    """Orders that are stored already while a backlog is worked off, ascending."""
    parallelisms: tuple[int, ...]
    """Instances of one function."""
    lives: int
    """Orders that are delivered, by few drivers."""
    peers: Path | None = None
    """The folder of a peer's programs, to be measured in turn with ours."""


@dataclass(frozen=True, slots=True)
class Bench:
    platform: Platform
    sizes: Sizes
    parts: dict[str, Any] = field(default_factory=dict)
    """Results by part, as JSON has them."""

    @property
    def bff(self) -> tuple[str, int]:
        parts = urlsplit(self.platform.bff_url)
        return str(parts.hostname), int(parts.port or 80)
