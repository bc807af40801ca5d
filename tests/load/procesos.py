"""Which processes are a platform's, of which component, and what CPU time and memory they take."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from deployment.local import services

CARGA: Final = "load generator"


@dataclass(frozen=True, slots=True)
class Fila:
    """A process, as the kernel lists it."""

    pid: int
    padre: int
    orden: tuple[str, ...]


@dataclass(slots=True)
class Memoria:
    """In MB, of all processes of a component. `pss` shares out what processes share; None where it can't be read."""

    procesos: int = 0
    rss: float = 0.0
    pss: float | None = 0.0


def atribuir(filas: Iterable[Fila], raices: Mapping[int, str], descargas: str) -> dict[int, str]:
    """The component of each process that has one: a function instance's command line names what it runs, which lies
    in `descargas`; `raices` are known; all others belong to whom their nearest ancestor does.
    """
    por_pid = {fila.pid: fila for fila in filas}
    propias = {pid: funcion for pid, fila in por_pid.items() if (funcion := _funcion(fila.orden, descargas))}
    propias |= {pid: nombre for pid, nombre in raices.items() if pid in por_pid}
    componentes = {}
    for pid in por_pid:
        actual, vistos = pid, set[int]()
        while actual in por_pid and actual not in propias and actual not in vistos:
            vistos.add(actual)
            actual = por_pid[actual].padre
        if actual in propias:
            componentes[pid] = propias[actual]
    return componentes


def _funcion(orden: Iterable[str], descargas: str) -> str | None:
    """…/download/<tenant>/<namespace>/<function>/…"""
    for palabra in orden:
        if palabra.startswith(f"{descargas}/"):
            partes = palabra.removeprefix(f"{descargas}/").split("/")
            return partes[2] if len(partes) > 3 else None
    return None


def componentes(data: Path) -> dict[int, str]:
    """Pid → component, of the platform in `data` and of this process with its children."""
    raices = {os.getpid(): CARGA}
    raices |= {pid: nombre for nombre in services.NAMES if (pid := services.pid(data, nombre))}
    return atribuir(_todas(), raices, f"{data}/functions-worker/download")


def _todas() -> Iterator[Fila]:
    for proceso in psutil.process_iter(["ppid", "cmdline"]):
        yield Fila(proceso.pid, proceso.info["ppid"] or 0, tuple(proceso.info["cmdline"] or ()))


def cpu(data: Path) -> dict[str, float]:
    """CPU seconds of each component until now. Those of children that ended are their parent's: no sum loses them."""
    usados: dict[str, float] = {}
    for pid, componente in componentes(data).items():
        try:
            tiempos = psutil.Process(pid).cpu_times()
        except psutil.NoSuchProcess:
            continue
        suyos = tiempos.user + tiempos.system + tiempos.children_user + tiempos.children_system
        usados[componente] = usados.get(componente, 0.0) + suyos
    return usados


def gastado(antes: Mapping[str, float], despues: Mapping[str, float]) -> dict[str, float]:
    """CPU seconds between two looks."""
    return {nombre: despues.get(nombre, 0.0) - antes.get(nombre, 0.0) for nombre in sorted({*antes, *despues})}


def de_la_plataforma(por_componente: Mapping[str, float]) -> float:
    """The sum of all but the load generator."""
    return sum(valor for nombre, valor in por_componente.items() if nombre != CARGA)


def memoria(data: Path) -> dict[str, Memoria]:
    usada: dict[str, Memoria] = {}
    for pid, componente in sorted(componentes(data).items()):
        try:
            proceso = psutil.Process(pid)
            rss, pss = proceso.memory_info().rss, _pss(proceso)
        except psutil.NoSuchProcess:
            continue
        suya = usada.setdefault(componente, Memoria())
        suya.procesos += 1
        suya.rss += rss / 1e6
        suya.pss = None if pss is None or suya.pss is None else suya.pss + pss / 1e6
    return usada


def _pss(proceso: psutil.Process) -> int | None:
    try:
        return int(proceso.memory_full_info().pss)
    except psutil.AccessDenied:
        return None
