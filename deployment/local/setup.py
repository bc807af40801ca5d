"""`setup`: everything that has to be downloaded or built, once per machine."""

from __future__ import annotations

import fcntl
from typing import TextIO

from deployment.local import jars, java
from deployment.local.errors import PlatformError
from deployment.local.instance import stubs


def wait_for(lock: TextIO) -> None:
    """Takes the lock of a file; says so, if another command has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"waiting for another command that prepares this machine (it has {lock.name}) …", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)


def ensure() -> None:
    """Jars, the worker's jar, the instance's gRPC stubs. Quick and offline when all is there."""
    jars.cache().mkdir(parents=True, exist_ok=True)
    with (jars.cache() / ".lock").open("w") as lock:
        wait_for(lock)
        folder = jars.ensure()
        java.compile_worker()
        java.prepare_tools()
        try:
            stubs.build(next(folder.glob("pulsar-functions-proto-*.jar")))
        except RuntimeError as problem:
            raise PlatformError(f"the gRPC stubs of the Python instance: {problem}") from problem
