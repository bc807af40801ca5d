"""status and logs: what runs, and what it says."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from deployment.local import services
from deployment.local.errors import PlatformError
from deployment.local.settings import Settings

COLUMNS = ("service", "state", "pid", "ports", "memory", "uptime", "log")


def status(settings: Settings, names: Sequence[str]) -> list[dict[str, Any]]:
    """One row per service; memory in MB, uptime in seconds."""
    return [_row(services.make(name, settings), settings) for name in names]


def _row(service: services.Service, settings: Settings) -> dict[str, Any]:
    pid = service.pid()
    members = psutil.Process(pid).children(recursive=True) if pid else []
    instances = set(services.instances(settings))
    own = [psutil.Process(pid), *(p for p in members if p.pid not in instances)] if pid else []
    return {
        "service": service.name,
        "state": "stopped" if not pid else "ready" if service.ready() else "starting",
        "pid": pid,
        "ports": [settings.ports()[name] for name in service.ports],
        "memory": _memory(own),
        "uptime": round(time.time() - own[0].create_time()) if own else None,
        "log": str(service.log),
    }


def _memory(members: Sequence[psutil.Process]) -> int | None:
    """Resident MB; PostgreSQL's shared buffers count once per process that touched them."""
    total = 0
    for process in members:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total // 1_000_000 if members else None


def print_status(settings: Settings, names: Sequence[str], as_json: bool) -> int:
    """Exit code 0 only when all services are ready."""
    rows = status(settings, names)
    instances = [psutil.Process(pid) for pid in services.instances(settings)]
    if as_json:
        functions = {"running": len(instances), "memory": _memory(instances)}
        print(json.dumps({"data": str(settings.data), "services": rows, "instances": functions}, indent=2))
    else:
        table = [COLUMNS, *(tuple(_text(row[column]) for column in COLUMNS) for row in rows)]
        widths = [max(len(line[i]) for line in table) for i in range(len(COLUMNS))]
        for line in table:
            print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
        print(f"{len(instances)} function instances, {_memory(instances) or 0} MB; data in {settings.data}")
    return 0 if all(row["state"] == "ready" for row in rows) else 1


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(str(item) for item in value)
    return "-" if value is None else str(value)


def logs(settings: Settings, name: str | None, follow: bool, lines: int) -> None:
    """Prints the ends of the logs of a service, of a function, or of all."""
    files = _files(settings, name)
    for file in files:
        for line in _tail(file, lines):
            _print(file, line, len(files))
    if not follow:
        return
    streams = {file: file.open(errors="replace") for file in files}
    for stream in streams.values():
        stream.seek(0, 2)
    while True:
        # New functions may appear.
        for file in set(_files(settings, name)) - set(streams):
            streams[file] = file.open(errors="replace")
        for file, stream in streams.items():
            for line in stream:
                _print(file, line, len(streams))
        time.sleep(0.3)


def _files(settings: Settings, name: str | None) -> list[Path]:
    folder = settings.data / "logs"
    functions = sorted(folder.glob("functions/*/*/*/*.log"))
    if name is None:
        return [*sorted(folder.glob("*.log")), *functions]
    found = [*folder.glob(f"{name}.log"), *(file for file in functions if file.parent.name == name)]
    if not found:
        raise PlatformError(f"there is no log of a service or function {name!r} in {folder}")
    return found


def _tail(file: Path, lines: int) -> deque[str]:
    with file.open(errors="replace") as stream:
        return deque(stream, maxlen=lines)


def _print(file: Path, line: str, files: int) -> None:
    prefix = f"{file.stem:<17} | " if files > 1 else ""
    print(prefix + line.rstrip("\n"), flush=True)
