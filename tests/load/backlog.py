"""A backlog: so many orders wait, then the functions begin."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any, Final

import yaml

from tests.load import broker, processes, seeding
from tests.load.bench import Bench
from tests.load.figures import log
from tests.load.ordenes import publish
from tests.load.watcher import Watcher
from tests.support.platform import ROOT, Platform, wait_for

STOPPED_FUNCTIONS: Final = ("ordenes/crear-orden", "saga/registrar-saga")
"""Who reads what waits: the saga log's share of the work belongs to what is measured."""
LEAD_TIME: Final = 2.0
"""The check of the orders is watched from so long before it is due, in s."""
IDLE_TIME: Final = 5.0
"""So long idleness is watched before that, in s."""
PAUSE: Final = 0.2
TIMEOUT: Final = 300


def measure(bench: Bench) -> dict[str, Any]:
    platform, count = bench.platform, bench.sizes.ordenes
    result = run(platform, count)
    if bench.sizes.timeouts:
        result["plazo_ms"] = _deadline_cpu_ms(platform, count, result.pop("momento"))
    result.pop("momento", None)
    broker.quiesce(platform)
    return result


def run(platform: Platform, count: int) -> dict[str, Any]:
    """`moment`: when the first was there, on the monotonic clock."""
    productos = seeding.productos(platform)
    seeding.conductores(platform, count)
    ids, watcher, stored_bytes = _publish_backlog(platform, count, productos)
    with watcher:
        log("the functions begin …")
        started_at = time.monotonic()
        broker.start(platform, *STOPPED_FUNCTIONS)
        first = watcher.first()
        before = processes.cpu(platform.data)
        last = watcher.all_ended()
        cpu = processes.cpu_spent(before, processes.cpu(platform.data))
    seconds = last - first
    _check(platform, ids, productos)
    grown = {name: bytes_ - stored_bytes[name] for name, bytes_ in seeding.stored_bytes(platform).items()}
    log(f"{count} orders in {seconds:.1f} s: {count / seconds:.0f}/s")
    return {
        "ordenes": count,
        "segundos": seconds,
        "sagas_s": count / seconds,
        "arranque_s": first - started_at,
        "cpu_ms": {name: 1000 * usage / count for name, usage in cpu.items()},
        "cpu_total_ms": 1000 * processes.platform_total(cpu) / count,
        "curva": watcher.curve,
        "bytes_por_orden": {name: bytes_ / count for name, bytes_ in grown.items()},
        "memoria": {name: asdict(used) for name, used in processes.memory(platform.data).items()},
        "momento": first,
    }


def _publish_backlog(
    platform: Platform, count: int, productos: list[str]
) -> tuple[list[str], Watcher, Mapping[str, int]]:
    """Publishes them while nobody reads; their ids, who watches them, and what was stored before."""
    broker.quiesce(platform)
    broker.stop(platform, *STOPPED_FUNCTIONS)
    stored_bytes = seeding.stored_bytes(platform)
    log(f"publishing {count} orders …")
    ids = publish(platform, count, productos)
    return ids, Watcher(platform, ids, productos), stored_bytes


def _check(platform: Platform, ids: list[str], productos: list[str]) -> None:
    """Every order iniciada, each with a driver of its own, and the stock lowered by their number."""
    query = """select count(*), count(distinct id_driver) from ordenes
        where id_producto = any(cast(:productos as uuid[])) and estado = 'iniciada'"""
    for database in ("ordenes", "ordenes_lectura"):
        counted = platform.sql(database, query, productos=productos)
        assert counted == [(len(ids), len(ids))], f"{database}: iniciada, and their drivers: {counted}"
    expected = seeding.STOCK * len(productos) - len(ids)
    stock_sql = "select coalesce(sum(stock), 0) from productos where id = any(cast(:productos as uuid[]))"
    remaining = {
        database: partial(platform.sql, database, stock_sql, productos=productos)
        for database in ("productos", "productos_lectura")
    }
    wait_for(f"{expected} units", lambda: {int(fetch()[0][0]) for fetch in remaining.values()} == {expected})


def _deadline_cpu_ms(platform: Platform, count: int, first: float) -> float:
    """CPU ms for each order's check, two minutes after it, less what an idle platform takes meanwhile."""
    config = yaml.safe_load((ROOT / "deployment/functions/crear-orden.yaml").read_text())["userConfig"]
    expected = first + config["DEMORAS"][broker.TIMEOUT[0]] - LEAD_TIME
    log(f"waiting {expected - time.monotonic():.0f} s for the orders' checks …")
    idle_cpu = _idle_cpu(platform, max(0.0, expected - IDLE_TIME - time.monotonic()))
    started_at, before = time.monotonic(), processes.cpu(platform.data)
    assert broker.pending_checks(platform)
    while remaining := broker.pending_checks(platform):
        assert time.monotonic() < started_at + TIMEOUT, f"{remaining} orders are still to be checked"
        time.sleep(PAUSE)
    cpu_spent = processes.cpu_spent(before, processes.cpu(platform.data))
    return 1000 * (processes.platform_total(cpu_spent) - idle_cpu * (time.monotonic() - started_at)) / count


def _idle_cpu(platform: Platform, wait: float) -> float:
    """CPU s in each s, of the whole platform, in REPOSO s after `wait` s."""
    time.sleep(wait)
    before = processes.cpu(platform.data)
    time.sleep(IDLE_TIME)
    return processes.platform_total(processes.cpu_spent(before, processes.cpu(platform.data))) / IDLE_TIME
