"""Waiting for the end of an order's saga: `Prefer: wait=N` (RFC 7240), how often to look, and how many may."""

import re
import time
from collections.abc import Callable, Iterator
from threading import Semaphore
from typing import Final, TypeGuard

from flask import Request

from bff.lecturas import Fila, SinBaseDeDatos
from bff.metricas import ESPERAS

MAXIMA: Final = 10
"""Longest wait, in s, whatever is preferred."""
PRIMERA: Final = 0.008
"""No new order ends sooner, in s."""
PAUSA: Final = (0.0005, 0.1)
"""Between two looks at the read model after that, in s: the shortest, and the longest."""
CRECE: Final = 1.2
"""Each pause against the one before: about a fifth of what was waited is what an answer may come too late."""
_WAIT: Final = re.compile(r'wait\s*=\s*"?([0-9]{1,9})"?', re.ASCII | re.IGNORECASE)


class Turnos:
    """So many requests may wait at once."""

    def __init__(self, cuantos: int) -> None:
        self._libres = Semaphore(cuantos)

    def tomar(self) -> bool:
        tomado = self._libres.acquire(blocking=False)
        ESPERAS.inc(tomado)
        return tomado

    def dejar(self) -> None:
        self._libres.release()
        ESPERAS.dec()


def preferida(peticion: Request) -> int:
    """In s; 0 if none is: what can't be read as a preference is none."""
    for dicha in peticion.headers.get("Prefer", "").split(","):
        if leida := _WAIT.fullmatch(dicha.partition(";")[0].strip()):
            return min(int(leida[1]), MAXIMA)
    return 0


def terminada(buscar: Callable[[], Fila | None], segundos: int, turnos: Turnos) -> Fila | None:
    """The order once it has ended; None if it has not in time, or nobody can look, or too many wait already."""
    if not segundos or not turnos.tomar():
        return None
    try:
        return next((orden for _ in miradas(segundos) if esta_terminada(orden := buscar())), None)
    except SinBaseDeDatos:
        return None
    finally:
        turnos.dejar()


def esta_terminada(orden: Fila | None) -> TypeGuard[Fila]:
    return orden is not None and orden["estado"] != "creada"


def miradas(segundos: float) -> Iterator[None]:
    """Yields whenever it is time to look: at once, then less and less often, and once more at the end."""
    limite, pausa, siguiente = time.monotonic() + segundos, PRIMERA, PAUSA[0]
    yield
    while (queda := limite - time.monotonic()) > 0:
        time.sleep(min(pausa, queda))
        pausa, siguiente = siguiente, min(CRECE * siguiente, PAUSA[1])
        yield
