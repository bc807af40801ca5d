"""A rolling upgrade under load: everything that has more than one of it is restarted, one after the other."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from tests.chaos import invariants, load, snapshot
from tests.chaos.chaos import TAIL, drain, reporting
from tests.chaos.log import Log
from tests.chaos.snapshot import Promised
from tests.support.cluster import ClusterPlatform

KINDS: Final = ("bff", "broker", "functions-worker", "bookie")
"""The kinds of nodes that are restarted, in this order."""
PATIENCE: Final = 20.0
"""So long a client repeats a request that got no answer, 429 or 503, in s."""
_FINAL_FAILURE: Final = re.compile(r": (?!202$|404$|409$)")
"""What a client's last attempt must not end with: anything but done, not there, or not possible."""


@dataclass
class Result:
    """`steps`: what was restarted, and how long it took in s."""

    log: Log
    broken_invariants: dict[str, set[str]]
    steps: list[tuple[str, float]] = field(default_factory=list)


def run(platform: ClusterPlatform, rate: float, seed: int, timeout: float = 300) -> Result:
    """Restarts each node with the commands that people use, then gives every function a new configuration, while
    orders come at `rate` a second. Whatever a client did not get done within PATIENCE breaks `no_request_fails`.
    """
    before = invariants.broken_invariants(snapshot.take(platform), Promised())
    catalog = load.prepare(platform)
    log, steps = Log(), list[tuple[str, float]]()
    watcher = load.Watcher(platform, log)
    patient = platform.patient(PATIENCE)
    clients = load.LoadGenerator(patient, log, catalog, rate, seed, changes=True)

    def step(name: str, work: Callable[[], object]) -> None:
        started = time.monotonic()
        work()
        steps.append((name, time.monotonic() - started))
        log.print_line(f"{name}: {steps[-1][1]:.1f} s")

    try:
        with reporting(log):
            try:
                for name in [name for kind in KINDS for name in platform.of_kind(kind)]:
                    step(name, partial(platform.local, "restart", name))
                step("functions", platform.redeploy)
                threading.Event().wait(TAIL)
            finally:
                clients.stop()
            promised = Promised(log.accepted, log.conductores, catalog.initial_stock, ajustes=log.ajustes)
            _, broken = drain(platform, promised, before, log, timeout)
    finally:
        watcher.stop()
    if failed := {f"{what}: {times}" for what, times in log.responses.items() if _FINAL_FAILURE.search(what)}:
        broken["no_request_fails"] = failed
    return Result(log, broken, steps)
