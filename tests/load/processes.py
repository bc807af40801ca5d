"""Which processes are a platform's, of which component, and what CPU time and memory they take."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from deployment.local import services

LOAD_GENERATOR: Final = "load generator"


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A process, as the kernel lists it."""

    pid: int
    parent: int
    command_line: tuple[str, ...]


@dataclass(slots=True)
class MemoryUse:
    """In MB, of all processes of a component. `pss` shares out what processes share; None where it can't be read."""

    processes: int = 0
    rss: float = 0.0
    pss: float | None = 0.0


def attribute_processes(rows: Iterable[ProcessRow], roots: Mapping[int, str], downloads: str) -> dict[int, str]:
    """The component of each process that has one: a function instance's command line names what it runs, which lies
    in `downloads`; `roots` are known; all others belong to whom their nearest ancestor does.
    """
    by_pid = {row.pid: row for row in rows}
    component_of = {
        pid: function for pid, row in by_pid.items() if (function := _function(row.command_line, downloads))
    }
    component_of |= {pid: name for pid, name in roots.items() if pid in by_pid}
    components = {}
    for pid in by_pid:
        current, seen = pid, set[int]()
        while current in by_pid and current not in component_of and current not in seen:
            seen.add(current)
            current = by_pid[current].parent
        if current in component_of:
            components[pid] = component_of[current]
    return components


def _function(command_line: Iterable[str], downloads: str) -> str | None:
    """…/download/<tenant>/<namespace>/<function>/…"""
    for word in command_line:
        if word.startswith(f"{downloads}/"):
            parts = word.removeprefix(f"{downloads}/").split("/")
            return parts[2] if len(parts) > 3 else None
    return None


def components(data: Path) -> dict[int, str]:
    """Pid → component, of the platform in `data` and of this process with its children."""
    roots = {os.getpid(): LOAD_GENERATOR}
    roots |= {pid: name for name in services.NAMES if (pid := services.pid(data, name))}
    return attribute_processes(_all_processes(), roots, f"{data}/functions-worker/download")


def _all_processes() -> Iterator[ProcessRow]:
    for process in psutil.process_iter(["ppid", "cmdline"]):
        yield ProcessRow(process.pid, process.info["ppid"] or 0, tuple(process.info["cmdline"] or ()))


def cpu(data: Path) -> dict[str, float]:
    """CPU seconds of each component until now. Those of children that ended are their parent's: no sum loses them."""
    used: dict[str, float] = {}
    for pid, component in components(data).items():
        try:
            times = psutil.Process(pid).cpu_times()
        except psutil.NoSuchProcess:
            continue
        cpu_seconds = times.user + times.system + times.children_user + times.children_system
        used[component] = used.get(component, 0.0) + cpu_seconds
    return used


def cpu_spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """CPU seconds between two looks."""
    return {name: after.get(name, 0.0) - before.get(name, 0.0) for name in sorted({*before, *after})}


def platform_total(by_component: Mapping[str, float]) -> float:
    """The sum of all but the load generator."""
    return sum(value for name, value in by_component.items() if name != LOAD_GENERATOR)


def memory(data: Path) -> dict[str, MemoryUse]:
    used: dict[str, MemoryUse] = {}
    for pid, component in sorted(components(data).items()):
        try:
            process = psutil.Process(pid)
            rss, pss = process.memory_info().rss, _pss(process)
        except psutil.NoSuchProcess:
            continue
        memory = used.setdefault(component, MemoryUse())
        memory.processes += 1
        memory.rss += rss / 1e6
        memory.pss = None if pss is None or memory.pss is None else memory.pss + pss / 1e6
    return used


def _pss(process: psutil.Process) -> int | None:
    try:
        return int(process.memory_full_info().pss)
    except psutil.AccessDenied:
        return None
