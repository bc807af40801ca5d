"""`setup`: everything that has to be downloaded or built, once per machine."""

from __future__ import annotations

import fcntl

from deployment.local import jars, java
from deployment.local.errors import PlatformError
from deployment.local.instance import stubs


def ensure() -> None:
    """Jars, the worker's jar, the instance's gRPC stubs. Quick and offline when all is there."""
    jars.cache().mkdir(parents=True, exist_ok=True)
    with (jars.cache() / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = jars.ensure()
        java.compile_worker()
        java.prepare_tools()
        try:
            stubs.build(next(folder.glob("pulsar-functions-proto-*.jar")))
        except RuntimeError as problem:
            raise PlatformError(f"the gRPC stubs of the Python instance: {problem}") from problem
