"""up, down, start, stop: services in order, each waited for until it is really ready or really gone."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deployment.local import processes, services, settings, setup
from deployment.local.errors import PlatformError
from deployment.local.namespaces import inside
from deployment.local.profile import Profile, Remembered
from deployment.local.services import Service

START_TIMEOUT = 180.0
# A killed process may need this long until it gives its ports back.
PORT_TIMEOUT = 3.0
LOCK = ".lock"


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """One command at a time changes a platform."""
    with (data / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise PlatformError(f"another command is changing the platform in {data}; wait for it") from busy
        yield


def up(chosen: Profile[Remembered], names: Sequence[str]) -> None:
    """Starts these services; all that there are, if none is named."""
    names = [name for name in chosen.names if name in names or not names]
    setup.ensure()
    _claim(chosen.data)
    with locked(chosen.data):
        refuse_changes(chosen)
        start(chosen, names)


def start(
    chosen: Profile[Remembered], names: Sequence[str], change: Callable[[Service], Service] = lambda service: service
) -> None:
    """Starts those of the services that do not run, as `change` has them, and waits until all are ready."""
    missing = [name for name in names if not services.pid(chosen.data, name)]
    chosen.connect()
    for name in missing:
        _refuse_used_ports(name, chosen)
    chosen.settings.remember(names)
    chosen.prepare()
    wanted = [change(chosen.service(name)) for name in names]
    for service in wanted:
        for need in service.needs:
            if need not in names and not services.pid(chosen.data, need):
                raise PlatformError(f"{service.name} needs {need}, which does not run; start that first")
    _start_all(wanted, missing)


def stop(chosen: Profile[Remembered], names: Sequence[str]) -> None:
    """Stops the services in reverse order; returns when they have ended, the function instances as well."""
    for name in reversed(chosen.names):
        if name not in names:
            continue
        begin, stopped = time.monotonic(), False
        chosen.leaving(name)
        # More than once: the worker may have started another instance meanwhile.
        for _ in range(3):
            if not (pids := _processes(chosen, name)):
                break
            processes.stop(pids, services.stop_signal(name), services.STOP_TIMEOUT)
            stopped = True
        if pids := _processes(chosen, name):
            raise PlatformError(f"{name}: processes {pids} can't be stopped; end them, then run the same command again")
        services.pid_file(chosen.data, name).unlink(missing_ok=True)
        print(f"  {name:<18} {f'stopped ({time.monotonic() - begin:.1f} s)' if stopped else 'was not running'}")
    if not any_running(chosen):
        chosen.dismantle()


def _processes(chosen: Profile[Remembered], name: str) -> list[int]:
    pid = services.pid(chosen.data, name)
    # The worker would stop its instances one after the other.
    instances = chosen.instances(name)
    return [pid, *instances] if pid else instances


def clean(chosen: Profile[Remembered]) -> None:
    """Stops everything and removes the data folder, if it is one."""
    if not chosen.data.exists():
        print(f"  {chosen.data} does not exist")
        return
    if not settings.remembered(chosen.data) and not _is_empty(chosen.data):
        raise PlatformError(f"{chosen.data} carries no platform.json of ours; nothing was removed")
    with locked(chosen.data):
        stop(chosen, chosen.names)
        shutil.rmtree(chosen.data)
    print(f"  removed {chosen.data}")


def _is_empty(data: Path) -> bool:
    """True also for what an `up` leaves that was interrupted before it began."""
    return all(path.name == LOCK for path in data.iterdir())


def refuse_changes(chosen: Profile[Remembered]) -> None:
    """A running platform keeps its settings."""
    if (changes := chosen.changed(os.environ)) and any_running(chosen):
        listed = ", ".join(changes)
        raise PlatformError(f"the running platform has other settings: {listed}; run `down` first")


def any_running(chosen: Profile[Remembered]) -> bool:
    return any(services.pid(chosen.data, name) for name in chosen.names)


def _claim(data: Path) -> None:
    """Only a new, an empty or an own folder becomes a platform's."""
    if data.exists() and not settings.remembered(data) and not _is_empty(data):
        raise PlatformError(f"{data} is neither empty nor a platform's folder; choose another PLATFORM_DATA")
    try:
        data.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise PlatformError(f"can't make {data}: {problem.strerror}; choose another PLATFORM_DATA") from problem


def _refuse_used_ports(name: str, chosen: Profile[Remembered]) -> None:
    deadline = time.monotonic() + PORT_TIMEOUT
    with inside(chosen.namespace(name)):
        for address, port, remedy in chosen.listeners(name):
            while problem := _port_problem(address, port):
                if time.monotonic() > deadline:
                    raise PlatformError(f"port {port} for {name} is in use ({problem}); {remedy}. Nothing was started")
                time.sleep(0.1)


def _port_problem(address: str, port: int) -> str | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as problem:
            return problem.strerror
    return None


def _start_all(wanted: Sequence[Service], missing: Sequence[str]) -> None:
    """Launches what is missing, each after what it needs; waits for all, also for those that ran already."""
    begin = time.monotonic()
    waiting, unready = list(wanted), {service.name for service in wanted}
    while unready:
        for service in [one for one in waiting if not unready & {*one.needs, *one.after}]:
            waiting.remove(service)
            if service.name in missing:
                service.launch()
        for service in [one for one in wanted if one.name in unready and one not in waiting]:
            seconds = time.monotonic() - begin
            if not (pid := services.pid(service.data, service.name)):
                _fail(service, "ended while starting")
            elif service.ready():
                unready.remove(service.name)
                state = f"ready ({seconds:.1f} s)" if service.name in missing else f"already running (pid {pid})"
                _line(f"  {service.name:<18} {state}\n")
            elif seconds > START_TIMEOUT:
                _fail(service, f"was not ready after {START_TIMEOUT:.0f} s")
        if sys.stdout.isatty() and unready:
            _line(f"  {', '.join(sorted(unready))}: starting, {time.monotonic() - begin:.0f} s")
        time.sleep(0.1)


def _line(text: str) -> None:
    print(("\r\033[K" if sys.stdout.isatty() else "") + text, end="", flush=True)


def _fail(service: Service, what: str) -> None:
    _line("")
    lines = service.log.read_text(errors="replace").splitlines()[-15:]
    raise PlatformError("\n".join([f"{service.name} {what}. The end of {service.log}:", *lines]))
