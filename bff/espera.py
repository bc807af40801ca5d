"""`Prefer: wait=N` (RFC 7240): the answer may wait until an order's saga has ended."""

import re
import time
from collections.abc import Callable
from threading import Semaphore
from typing import Any, Final

from flask import Request

from bff.lecturas import Fila, SinBaseDeDatos

MAXIMA: Final = 10
"""Longest wait, in s, whatever is preferred."""
PAUSA: Final = (0.01, 0.1)
"""Between two looks at the read model, in s: the first, and the longest."""
_WAIT: Final = re.compile(r'wait\s*=\s*"?([0-9]{1,9})"?', re.ASCII | re.IGNORECASE)


def preferida(peticion: Request) -> int:
    """In s; 0 if none is: what can't be read as a preference is none."""
    for dicha in peticion.headers.get("Prefer", "").split(","):
        if leida := _WAIT.fullmatch(dicha.partition(";")[0].strip()):
            return min(int(leida[1]), MAXIMA)
    return 0


def terminada(buscar: Callable[[], Fila | None], segundos: int, turnos: Semaphore) -> Fila | None:
    """The order once it has ended; None if it has not in time, or nobody can look, or too many wait already."""
    if not segundos or not turnos.acquire(blocking=False):
        return None
    try:
        return _mirar(buscar, time.monotonic() + segundos)
    except SinBaseDeDatos:
        return None
    finally:
        turnos.release()


def _mirar(buscar: Callable[[], Any], limite: float) -> Fila | None:
    pausa = PAUSA[0]
    while True:
        orden: Fila | None = buscar()
        if orden is not None and orden["estado"] != "creada":
            return orden
        if (queda := limite - time.monotonic()) <= 0:
            return None
        time.sleep(min(pausa, queda))
        pausa = min(1.5 * pausa, PAUSA[1])
