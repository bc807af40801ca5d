"""Pulsar and its functions worker, started once and stopped: Java keeps their classes, and starts sooner then."""

from __future__ import annotations

import io
import socket
from contextlib import ExitStack, redirect_stdout
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from deployment.local import jars, java, lifecycle
from deployment.local.errors import PlatformError
from deployment.local.services import Service
from deployment.local.settings import Settings
from deployment.local.setup import wait_for
from deployment.local.single import Single

SERVICES = ("pulsar", "functions-worker")


def ensure() -> None:
    """Does nothing when the classes are there. A failure costs nothing but the time that it would have saved."""
    with (jars.cache() / ".training").open("w") as lock:
        wait_for(lock)
        if java.keeps_classes() and not all(java.classes(name).exists() for name in SERVICES):
            print("preparing Pulsar and its functions worker, half a minute, once …", flush=True)
            try:
                _train()
            except PlatformError as problem:
                print(f"  not done, they will start a little later: {problem}")


def _train() -> None:
    with TemporaryDirectory(dir=jars.cache()) as work, redirect_stdout(io.StringIO()):
        chosen = Single(Settings.from_env({"PLATFORM_DATA": f"{work}/data"} | _ports()))
        chosen.data.mkdir()

        def recorded(service: Service) -> Service:
            return replace(service, command=java.recorded(service.command, Path(work, service.name)))

        try:
            lifecycle.start(chosen, SERVICES, recorded)
        finally:
            lifecycle.stop(chosen, SERVICES)
        for name in SERVICES:
            if not (made := Path(work, name)).exists():
                raise PlatformError(f"Java left nothing of {name}")
            java.keep(made, name)


def _ports() -> dict[str, str]:
    """Free ones."""
    names = ("PULSAR_PORT", "PULSAR_HTTP_PORT", "BOOKIE_PORT", "FUNCTIONS_PORT")
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in names]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return {name: str(one.getsockname()[1]) for name, one in zip(names, sockets, strict=True)}
