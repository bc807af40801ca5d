"""up, down, start, stop: services in order, each waited for until it is really ready or really gone."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deployment.local import credentials, processes, provision, render, services, settings
from deployment.local.errors import PlatformError
from deployment.local.services import Service
from deployment.local.settings import Settings

START_TIMEOUT = 180.0


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """One command at a time changes a platform."""
    with (data / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            raise PlatformError(f"another command is changing the platform in {data}; wait for it") from busy
        yield


def up(chosen: Settings, names: Sequence[str]) -> None:
    """Starts these services; all that there are, if none is named."""
    names = [name for name in services.NAMES if name in names or not names]
    provision.ensure()
    _claim(chosen.data)
    with locked(chosen.data):
        refuse_changes(chosen)
        start(chosen, names, all_names=names)


def start(chosen: Settings, names: Sequence[str], all_names: Sequence[str]) -> None:
    """Starts those of the services that do not run, and waits."""
    chosen.remember(list(all_names))
    credentials.generate(chosen.data)
    render.write_all(chosen)
    wanted = [services.make(name, chosen) for name in names]
    missing = [service for service in wanted if not service.pid()]
    _refuse_used_ports(missing, chosen)
    for service in wanted:
        if service not in missing:
            print(f"  {service.name:<17} already running (pid {service.pid()})")
    _start_all(missing, names)


def stop(chosen: Settings, names: Sequence[str]) -> None:
    """Stops the services in reverse order; returns when they have ended, the function instances as well."""
    for name in reversed(services.NAMES):
        if name not in names:
            continue
        begin, pid_file = time.monotonic(), chosen.data / "run" / f"{name}.json"
        pid = processes.running(pid_file)
        if pid:
            request = services.STOP_SIGNALS.get(name, signal.SIGTERM)
            processes.stop([pid], request, services.STOP_TIMEOUT)
        orphans = services.instances(chosen) if name == "functions-worker" else []
        processes.stop(orphans, signal.SIGTERM, 5)
        pid_file.unlink(missing_ok=True)
        seconds = time.monotonic() - begin
        print(f"  {name:<17} {f'stopped ({seconds:.1f} s)' if pid or orphans else 'was not running'}")


def clean(chosen: Settings) -> None:
    """Stops everything and removes the data folder, if it is one."""
    if not chosen.data.exists():
        print(f"  {chosen.data} does not exist")
        return
    if not settings.remembered(chosen.data):
        raise PlatformError(f"{chosen.data} carries no platform.json of ours; nothing was removed")
    with locked(chosen.data):
        stop(chosen, services.NAMES)
        shutil.rmtree(chosen.data)
    print(f"  removed {chosen.data}")


def refuse_changes(chosen: Settings) -> None:
    """A running platform keeps its settings."""
    if (changes := settings.changed(os.environ, chosen.data)) and any_running(chosen.data):
        listed = ", ".join(changes)
        raise PlatformError(f"the running platform has other settings: {listed}; run `down` first")


def any_running(data: Path) -> bool:
    return any(processes.running(path) for path in (data / "run").glob("*.json"))


def _claim(data: Path) -> None:
    """Only a new, an empty or an own folder becomes a platform's."""
    if data.exists() and not settings.remembered(data) and any(data.iterdir()):
        raise PlatformError(f"{data} is neither empty nor a platform's folder; choose another PLATFORM_DATA")
    data.mkdir(parents=True, exist_ok=True)


def _refuse_used_ports(missing: Sequence[Service], chosen: Settings) -> None:
    ports = chosen.ports()
    for service in missing:
        for variable in service.ports:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", ports[variable]))
                except OSError as problem:
                    raise PlatformError(
                        f"port {ports[variable]} for {service.name} is in use ({problem.strerror}); "
                        f"set {variable} to a free one. Nothing was started"
                    ) from problem


def _start_all(missing: Sequence[Service], names: Sequence[str]) -> None:
    begin = time.monotonic()
    waiting = list(missing)
    starting: dict[str, tuple[Service, subprocess.Popen[bytes], float]] = {}
    while waiting or starting:
        unready = {service.name for service in waiting} | set(starting)
        for service in [one for one in waiting if not unready & set(one.needs)]:
            waiting.remove(service)
            starting[service.name] = (service, _launch(service), time.monotonic())
        for service, process, since in list(starting.values()):
            seconds = time.monotonic() - since
            if process.poll() is not None:
                _fail(service, f"ended with code {process.returncode} while starting")
            elif service.ready():
                del starting[service.name]
                _line(f"  {service.name:<17} ready ({seconds:.1f} s)\n")
            elif seconds > START_TIMEOUT:
                _fail(service, f"was not ready after {START_TIMEOUT:.0f} s")
        if sys.stdout.isatty() and starting:
            _line(f"  {', '.join(starting)}: starting, {time.monotonic() - begin:.0f} s")
        time.sleep(0.1)


def _launch(service: Service) -> subprocess.Popen[bytes]:
    service.prepare()
    return processes.spawn(service.command, service.pid_file, service.log, service.cwd, service.env, service.user)


def _line(text: str) -> None:
    print(("\r\033[K" if sys.stdout.isatty() else "") + text, end="", flush=True)


def _fail(service: Service, what: str) -> None:
    _line("")
    lines = service.log.read_text(errors="replace").splitlines()[-15:]
    raise PlatformError("\n".join([f"{service.name} {what}. The end of {service.log}:", *lines]))
