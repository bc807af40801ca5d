"""A chaos run: prepare, load and faults for a while, drain, check."""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from tests.chaos import faults, invariants, load, snapshot
from tests.chaos.deliveries import DeliveryCounter, Repetitions
from tests.chaos.log import Log
from tests.chaos.repairer import Repairer
from tests.chaos.snapshot import Promised
from tests.support.cluster import ClusterPlatform
from tests.support.platform import Platform

TAIL: Final = 5.0
"""So long orders go on after the last service is back, in s: to see it recover."""
STATUS_INTERVAL: Final = 10.0
"""A line about the state of things so often, in s."""
MAX_LOG_MB: Final = 20
"""MB that no service writes within a run, unless something is wrong."""


@dataclass(frozen=True, slots=True)
class Settings:
    """`seconds` of faults, or until each kind had its turn, one every `interval` s on average, while `rate` orders a
    second come."""

    seconds: float
    interval: float
    rate: float
    seed: int
    timeout: float = 300
    """To drain, in s."""


@dataclass(frozen=True)
class Result:
    settings: Settings
    log: Log
    promised: Promised
    drain_time: float
    """From the last request until all invariants held, in s."""
    broken_invariants: dict[str, set[str]]
    state: snapshot.Snapshot
    repetitions: Repetitions
    cluster: bool


def run(platform: Platform, settings: Settings) -> Result:
    """Leaves the platform running and healthy, unless something was lost. What was wrong with it before, such as
    dead letters of other tests, is not held against it."""
    # connections that were killed under it are nothing to complain about
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    before = invariants.broken_invariants(snapshot.take(platform), Promised())
    catalog = load.prepare(platform)
    log = Log()
    log.print_line(f"seed {settings.seed}: {settings.rate:g} orders/s, a fault every {settings.interval:g} s")
    counter = DeliveryCounter(platform)
    watcher = load.Watcher(platform, log)
    try:
        with reporting(log):
            lost = _under_load(platform, settings, log, catalog, counter)
            promised = Promised(log.accepted, log.conductores, catalog.initial_stock, ajustes=log.ajustes)
            started_at = time.monotonic()
            final, broken = drain(platform, promised, before, log, 0 if lost else settings.timeout)
        drain_time = time.monotonic() - started_at
    finally:
        watcher.stop()
        repetitions = counter.stop()
    if lost:
        broken["every_service_comes_back"] = set(lost)
    for log_file in sorted((platform.data / "logs").glob("*.log*")):
        if (megabytes := log_file.stat().st_size / 1e6) > MAX_LOG_MB:
            log.incident(f"{log_file.name} has {megabytes:.0f} MB: something goes round in circles")
    is_cluster = isinstance(platform, ClusterPlatform)
    return Result(settings, log, promised, drain_time, broken, final, repetitions, is_cluster)


def _under_load(
    platform: Platform, settings: Settings, log: Log, catalog: load.Catalog, counter: DeliveryCounter
) -> list[str]:
    """Faults while orders come, until the last service is back; the services that can't be started any more."""
    clients = load.LoadGenerator(platform, log, catalog, settings.rate, settings.seed, changes=True)
    repairer = Repairer(platform, log)
    fault_injector = faults.FaultInjector(platform, log, repairer)
    weights = faults.weights(platform)
    stop_event = threading.Event()
    try:
        end = time.monotonic() + settings.seconds
        for number, planned in enumerate(faults.plan(settings.seed, settings.interval, weights)):
            following = time.monotonic() + planned.pause
            while not repairer.is_finished() and ((now := time.monotonic()) < end or number < len(weights)):
                if now >= following and fault_injector.inject(planned, counter.sample):
                    break
                stop_event.wait(max(0.2, following - now))
            else:
                break
        fault_injector.stop()
        repairer.stop()
        if not repairer.lost_services:
            stop_event.wait(TAIL)
    finally:
        try:
            fault_injector.stop()
            repairer.stop()
        finally:
            clients.stop()
    return repairer.lost_services


def drain(
    platform: Platform, promised: Promised, before: dict[str, set[str]], log: Log, timeout: float
) -> tuple[snapshot.Snapshot, dict[str, set[str]]]:
    """Waits until all invariants hold; the last picture, and what breaks them when the time is over."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            latest = snapshot.take(platform)
        except (SQLAlchemyError, OSError, HTTPException) as error:
            latest, broken = snapshot.Snapshot(), {"everything_answers": {str(error)}}
        else:
            found = invariants.broken_invariants(latest, promised)
            broken = {name: new_ones for name, v in found.items() if (new_ones := v - before.get(name, set()))}
        if (not broken and not log.open_ordenes()) or time.monotonic() > deadline:
            return latest, broken
        threading.Event().wait(1)


@contextmanager
def reporting(log: Log) -> Iterator[None]:
    """A status line every STATUS_INTERVAL s."""
    end = threading.Event()

    def print_status() -> None:
        while not end.wait(STATUS_INTERVAL):
            open_ordenes = len(log.open_ordenes())
            log.print_line(
                f"-- accepted {len(log.accepted)}, ended {len(log.ended)}, open {open_ordenes}, "
                f"faults {len(log.faults)}"
            )

    thread = threading.Thread(target=print_status, name="status")
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()
