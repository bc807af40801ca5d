"""Background processes: started in a session of their own, known by pid *and* start, stopped for certain."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import psutil

from deployment.local.namespaces import inside
from functions.program.run import uninterrupted

MAX_LOG_BYTES = 20_000_000


def identity(pid: int) -> str | None:
    """Tells a process from a later one with the same pid; None when it is dead or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # Ticks since boot: unlike a time of day, no clock change moves it.
        return None if fields[0] in "ZX" else f"{boot}:{fields[19]}"
    except (FileNotFoundError, ProcessLookupError):
        return None


def remember(pid_file: Path, pid: int) -> None:
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    pid_file.write_text(json.dumps({"pid": pid, "identity": identity(pid)}))


def running(pid_file: Path) -> int | None:
    """The pid of the process that the file names, if that very process is alive."""
    try:
        record = json.loads(pid_file.read_text())
        pid, known = int(record["pid"]), record["identity"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return pid if known is not None and identity(pid) == known else None


def spawn(
    command: Sequence[str],
    pid_file: Path,
    log: Path,
    cwd: Path,
    env: Mapping[str, str],
    user: str | None,
    namespace: str | None = None,
) -> None:
    """Starts a process that outlives this one, in a network namespace if one is named; its output goes to the log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    cwd.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.replace(log.with_name(log.name + ".1"))
    with log.open("ab") as output, uninterrupted(), inside(namespace):
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(env),
            user=user,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        remember(pid_file, process.pid)


def stop(pids: Iterable[int], first: signal.Signals, timeout: float) -> None:
    """Asks, waits for the real end, then kills. A pid that is reused meanwhile is left alone."""
    alive = {pid: known for pid in pids if (known := identity(pid))}
    for request, patience in ((first, timeout), (signal.SIGKILL, 10.0)):
        for pid in alive:
            _send(pid, request)
        deadline = time.monotonic() + patience
        while alive and time.monotonic() < deadline:
            alive = {pid: known for pid, known in alive.items() if identity(pid) == known}
            time.sleep(0.05)


def _send(pid: int, request: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, request)


def with_option(option: str, beginning: str) -> list[int]:
    """Processes with this option on their command line, and a value that begins so."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(word == option and value.startswith(beginning) for word, value in pairwise(words)):
            found.append(process.pid)
    return found
