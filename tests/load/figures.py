"""Small statistics, and progress lines."""

import time
from collections.abc import Sequence
from typing import Final

_START: Final = time.monotonic()


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` per cent of all do not exceed (nearest rank)."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)  # rounded up
    return ordered[max(0, int(rank) - 1)]


def latencies(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p95, p99 and the longest, in ms."""
    if not seconds:
        return {}
    named = {f"p{percent}_ms": 1000 * percentile(seconds, percent) for percent in (50, 95, 99)}
    return named | {"max_ms": 1000 * max(seconds)}


def log(text: str) -> None:
    """A line of progress."""
    print(f"{time.monotonic() - _START:7.1f} s  {text}", flush=True)
