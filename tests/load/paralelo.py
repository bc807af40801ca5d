"""Work on all cores: processes for each, in them a thread for each action, and one clock."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from typing import Final

Accion = Callable[[], None]
Preparar = Callable[[str], AbstractContextManager[Sequence[Accion]]]
"""Gets a piece of work ready, in the process that is to do it; must be picklable."""
PLAZO: Final = 120
"""For the slowest process to get ready, in s."""
_barreras: list[Barrier] = []


def correr(preparar: Preparar, pesos: Mapping[str, float], por_nucleo: int = 1) -> float:
    """Seconds from when all is ready until all is done. `pesos`: the pieces of work, and how much each is;
    `por_nucleo`: processes for each core.
    """
    repartidas = repartir(pesos, por_nucleo * (os.cpu_count() or 1))
    contexto = get_context("spawn")  # the client libraries' threads don't survive a fork
    barrera = contexto.Barrier(len(repartidas))
    with ProcessPoolExecutor(len(repartidas), contexto, _esperar_en, (barrera,)) as procesos:
        tiempos = list(procesos.map(partial(_trabajar, preparar), repartidas))
    return max(fin for _, fin in tiempos) - min(comienzo for comienzo, _ in tiempos)


def repartir(pesos: Mapping[str, float], entre: int) -> list[list[str]]:
    """The heaviest first, each to whom has least; nobody without any."""
    lotes: list[list[str]] = [[] for _ in range(min(entre, len(pesos)))]
    for nombre in sorted(pesos, key=lambda nombre: -pesos[nombre]):
        min(lotes, key=lambda lote: sum(pesos[otro] for otro in lote)).append(nombre)
    return lotes


def _esperar_en(barrera: Barrier) -> None:
    """Barriers reach a process when it begins, or never."""
    _barreras.append(barrera)


def _trabajar(preparar: Preparar, nombres: Sequence[str]) -> tuple[float, float]:
    """Begin and end, on the monotonic clock, which is one for all processes."""
    with ExitStack() as pila:
        acciones = [accion for nombre in nombres for accion in pila.enter_context(preparar(nombre))]
        hilos = pila.enter_context(ThreadPoolExecutor(len(acciones)))
        _barreras[0].wait(PLAZO)
        comienzo = time.monotonic()
        for hecha in [hilos.submit(accion) for accion in acciones]:
            hecha.result()
        return comienzo, time.monotonic()
