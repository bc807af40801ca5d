"""status and logs: what runs, and what it says."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from deployment.local import services
from deployment.local.errors import PlatformError
from deployment.local.profile import Profile, Remembered
from deployment.local.settings import remembered

COLUMNS = ("service", "state", "pid", "addresses", "memory", "uptime", "log")


def status(platform: Profile[Remembered]) -> dict[str, Any]:
    """A row for each service that was ever started here, and the function instances."""
    known = remembered(platform.data)["services"]
    instances = {pid for name in platform.names for pid in platform.instances(name)}
    return {
        "data": str(platform.data),
        "services": [_row(name, platform, instances) for name in platform.names if name in known],
        "instances": {"running": len(instances), "memory_mb": _memory(instances)},
    }


def _row(name: str, platform: Profile[Remembered], instances: set[int]) -> dict[str, Any]:
    service, pid = platform.service(name), services.pid(platform.data, name)
    family, uptime = [], None
    with suppress(psutil.NoSuchProcess):
        if pid:
            process = psutil.Process(pid)
            family = [pid, *(child.pid for child in process.children(recursive=True))]
            uptime = round(time.time() - process.create_time())
    return {
        "service": name,
        "state": "stopped" if not pid else "ready" if service.ready() else "not ready",
        "pid": pid,
        "ports": [port for _, port, _ in platform.listeners(name)],
        "addresses": [f"{address}:{port}" for address, port, _ in platform.listeners(name)],
        "memory_mb": _memory(set(family) - instances) if family else None,
        "uptime_s": uptime,
        "log": str(service.log),
    }


def _memory(pids: Iterable[int]) -> int:
    """Resident MB; PostgreSQL's shared buffers count once for each process that touched them."""
    total = 0
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            total += psutil.Process(pid).memory_info().rss
    return total // 1_000_000


def print_status(platform: Profile[Remembered], as_json: bool) -> int:
    """Exit code 0 only when all services are ready."""
    found = status(platform)
    if as_json:
        print(json.dumps(found, indent=2))
    else:
        table = [COLUMNS, *map(_cells, found["services"])]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        for line in table:
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        running, memory = found["instances"].values()
        print(f"{running} function instances, {memory} MB; data in {platform.data}")
    return 0 if all(row["state"] == "ready" for row in found["services"]) else 1


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    memory, uptime = row["memory_mb"], row["uptime_s"]
    return (
        row["service"],
        row["state"],
        str(row["pid"] or "-"),
        ",".join(row["addresses"]),
        "-" if memory is None else f"{memory} MB",
        "-" if uptime is None else duration(uptime),
        row["log"],
    )


def duration(seconds: int) -> str:
    """The two largest units: 45 s, 3 min 20 s, 2 h 5 min, 4 d 1 h."""
    sizes = {"d": 86400, "h": 3600, "min": 60, "s": 1}
    parts: list[str] = []
    for unit, size in sizes.items():
        count, seconds = divmod(seconds, size)
        if count or parts or unit == "s":
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def logs(data: Path, name: str | None, follow: bool, lines: int) -> None:
    """Prints the ends of the logs of a service, of a function, or of all."""
    files = _files(data, name)
    streams = {file: file.open(errors="replace") for file in files}
    for file, stream in streams.items():
        for line in deque(stream, maxlen=max(lines, 0)):
            _print(file, line, len(files))
    while follow:
        # New functions may appear.
        for file in set(_files(data, name)) - set(streams):
            streams[file] = file.open(errors="replace")
        for file, stream in streams.items():
            for line in stream:
                _print(file, line, len(streams))
        time.sleep(0.3)


def _files(data: Path, name: str | None) -> list[Path]:
    folder = data / "logs"
    own, functions = sorted(folder.glob("*.log")), sorted(folder.glob("functions/*/*/*/*.log"))
    if name is None:
        return [*own, *functions]
    found = [file for file in own if file.stem == name] + [file for file in functions if file.parent.name == name]
    if not found:
        known = sorted({*(file.stem for file in own), *(file.parent.name for file in functions)})
        raise PlatformError(f"no log of a service or function {name!r} in {folder}; there are {', '.join(known)}")
    return found


def _print(file: Path, line: str, files: int) -> None:
    prefix = f"{file.stem:<18} | " if files > 1 else ""
    print(prefix + line.rstrip("\n"), flush=True)
