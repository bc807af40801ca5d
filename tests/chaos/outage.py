"""Long outages while orders flow: python -m tests.chaos.outage --minutes 10.

One after the other, the databases of each context and the broker are unavailable for that long. Every order that was
accepted must end as iniciada, for there is stock and a driver for each, and all invariants of the chaos runs must hold.
"""

from functions.program.run import run as run_program

if __name__ == "__main__":
    run_program("tests.chaos.outage")  # loads it under its own name, and never returns

import argparse
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from deployment.local import services
from tests.chaos import invariants, load, snapshot
from tests.chaos.chaos import TAIL, drain, reporting
from tests.chaos.log import Log
from tests.chaos.snapshot import Promised
from tests.support.platform import Platform

BROKER: Final = "pulsar"
OUTAGES: Final = ("productos", "ordenes", "conductores", "saga+ordenes_lectura+productos_lectura", BROKER)
"""What is unavailable together: databases joined by +, or the broker."""
BEFORE: Final = 3.0
"""Seconds of orders before an outage."""


@contextmanager
def unavailable(platform: Platform, what: str) -> Iterator[None]:
    """Within the block the databases `what`, joined by +, refuse every connection; or the broker is not running."""
    if what == BROKER:
        pid = services.pid(platform.data, BROKER)
        assert pid is not None
        psutil.Process(pid).kill()
        yield
        platform.local("up")
        return
    databases = what.split("+")
    try:
        for database in databases:
            _allow_connections(platform, database, False)
        yield
    finally:
        for database in databases:
            _allow_connections(platform, database, True)


def _allow_connections(platform: Platform, database: str, allowed: bool) -> None:
    platform.sql("postgres", f"alter database {database} with allow_connections {allowed}")
    if not allowed:
        end = "select pg_terminate_backend(pid) from pg_stat_activity where datname = :name"
        platform.sql("postgres", end, name=database)


def run(platform: Platform, what: str, seconds: float, rate: float, seed: int, timeout: float) -> dict[str, set[str]]:
    """An outage of so many seconds, at `rate` orders a second; what breaks each invariant after at most `timeout` s."""
    before = invariants.broken_invariants(snapshot.take(platform), Promised())
    catalog = load.prepare_ample(platform, int((seconds + BEFORE + TAIL) * rate * 1.2) + 100)
    log = Log()
    log.print_line(f"seed {seed}: {rate:g} orders/s, {what} unavailable for {seconds:g} s")
    watcher = load.Watcher(platform, log)
    try:
        with reporting(log):
            clients = load.LoadGenerator(platform, log, catalog, rate, seed)
            try:
                threading.Event().wait(BEFORE)
                with unavailable(platform, what):
                    threading.Event().wait(seconds)
                threading.Event().wait(TAIL)
            finally:
                clients.stop()
            promised = Promised(log.accepted, log.conductores, catalog.initial_stock)
            started = time.monotonic()
            state, broken = drain(platform, promised, before, log, timeout)
    finally:
        watcher.stop()
    failed = {
        f"order {id_orden}: {orden.estado} ({orden.motivo})"
        for id_orden, orden in state.ordenes.items()
        if str(id_orden) in log.accepted and orden.estado != "iniciada"
    }
    if failed:
        broken["every_order_is_fulfilled"] = failed
    verdict = f"FAILED: {broken}" if broken else "every one iniciada, all invariants hold"
    drained = time.monotonic() - started
    log.print_line(
        f"{what}: {len(log.accepted)} orders accepted; {verdict}; drained {drained:.1f} s after the last one"
    )
    return broken


def main() -> int:
    parser = argparse.ArgumentParser("python -m tests.chaos.outage", description=__doc__)
    parser.add_argument(
        "outages", nargs="*", default=OUTAGES, help=f"databases joined by +, or {BROKER} (default: all)"
    )
    parser.add_argument("--minutes", type=float, default=10, help="of each outage (default 10)")
    parser.add_argument("--rate", type=float, default=20, help="orders a second (default 20)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="default: a random one")
    parser.add_argument("--drain", type=float, default=300, metavar="S", help="time to drain, in s (default 300)")
    args = parser.parse_args()
    platform = Platform(Path(tempfile.mkdtemp(prefix="outage-")))
    try:
        print(platform.local("up"), platform.deploy(), sep="", flush=True)
        broken = [run(platform, what, 60 * args.minutes, args.rate, args.seed, args.drain) for what in args.outages]
        return int(any(broken))
    finally:
        platform.local("clean")
