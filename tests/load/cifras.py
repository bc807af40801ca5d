"""Small statistics, and progress lines."""

import time
from collections.abc import Sequence
from typing import Final

_INICIO: Final = time.monotonic()


def percentil(valores: Sequence[float], cuanto: float) -> float:
    """The smallest value that `cuanto` per cent of all do not exceed (nearest rank)."""
    if not valores:
        raise ValueError("no values")
    ordenados = sorted(valores)
    rango = -(-len(ordenados) * cuanto // 100)  # rounded up
    return ordenados[max(0, int(rango) - 1)]


def latencias(segundos: Sequence[float]) -> dict[str, float]:
    """p50, p95, p99 and the longest, in ms."""
    if not segundos:
        return {}
    nombradas = {f"p{cuanto}_ms": 1000 * percentil(segundos, cuanto) for cuanto in (50, 95, 99)}
    return nombradas | {"max_ms": 1000 * max(segundos)}


def decir(texto: str) -> None:
    """A line of progress."""
    print(f"{time.monotonic() - _INICIO:7.1f} s  {texto}", flush=True)
