"""Scale: one function, more and more instances of it, on a topic with partitions: what is faster, what stays ordered.

The function is registrar-saga: of all it takes the most CPU, it publishes nothing, so that nothing else works
meanwhile, and each message leaves one row that says which transaction wrote it. It is a copy that reads one kind of
message from a topic of its own; the real ones have nobody else on them.

Every key's messages are in one partition, in order. A Shared subscription, which the functions are deployed with,
hands them to all instances in turn, whatever their key. With `retainOrdering` (Failover) each partition has one
instance at a time, so that there is work for as many instances as there are partitions.

All messages wait, and all instances are connected, before the first is taken: the processes stand still meanwhile.
The rate is from then until the last row can be seen; on few cores more instances have no more of them to work with.

A message is out of order if one of the same key that was published before it was written by a later transaction.
Later is which began to write later; a batch within one transaction is handed to the function as it came.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from uuid import UUID, uuid4

import sqlalchemy as sa

from functions.messages.envelope import now
from functions.messages.ids import Id, new, parse
from functions.messages.outgoing import Outgoing, to_outgoing
from functions.messages.payloads import ComandoCrearOrden
from tests.load import broker, clone, processes, seeding
from tests.load.bench import Bench
from tests.load.clone import Clone
from tests.load.figures import log
from tests.support.platform import Platform, wait_for

ORIGINAL: Final = "saga/registrar-saga"
MAX_MESSAGES: Final = 5000
"""In each round, at most."""
KEY_COUNT: Final = 100
MODES: Final[dict[str, dict[str, Any]]] = {"Shared": {}, "Failover": {"retainOrdering": True}}
"""Subscription types, and what a function's configuration says to have them."""
TIMEOUT: Final = 120
_ID_RANGE: Final = "from sagalog where id_mensaje between :primero and :ultimo"
_COUNT: Final = sa.text(f"select count(*) {_ID_RANGE}")
_DELETE: Final = sa.text("delete from sagalog where id_orden = any(cast(:claves as uuid[]))")
_ROWS: Final = f"""
    select cast(id_orden as text), cast(cast(xmin as text) as bigint) {_ID_RANGE} order by id_mensaje"""


def measure(bench: Bench) -> dict[str, Any]:
    platform, count = bench.platform, min(bench.sizes.ordenes, MAX_MESSAGES)
    broker.quiesce(platform)
    seeding.vacuum_analyze(platform, "saga")
    rounds = []
    with clone.namespace(platform):
        for mode, parallelism in plan(bench.sizes.parallelisms):
            log(f"{parallelism} instances, {mode}, {count} messages …")
            rounds.append({"modo": mode, "paralelismo": parallelism, **_run_round(platform, mode, parallelism, count)})
    return {"mensajes": count, "claves": KEY_COUNT, "particiones": clone.PARTITIONS, "rondas": rounds}


def plan(parallelisms: Sequence[int]) -> list[tuple[str, int]]:
    """Mode and parallelism of each round; alone, an instance has all messages in any mode."""
    return [(mode, n) for mode in MODES for n in parallelisms if n > 1 or mode == "Shared"]


def out_of_order(rows: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Of key and transaction of each message, as they were published: messages out of order, and keys that have any."""
    latest: dict[str, int] = {}
    messages, keys = 0, set()
    for key, transaction in rows:
        if transaction < latest.setdefault(key, transaction):
            messages += 1
            keys.add(key)
        latest[key] = max(latest[key], transaction)
    return {"mensajes_desordenados": messages, "claves_desordenadas": len(keys)}


def messages(count: int, keys: Sequence[Id]) -> tuple[list[Outgoing], dict[str, str]]:
    """Messages whose ids grow, key after key in turn; and their first and last id."""
    first = uuid4().int >> 32 << 32
    ids, producto = [parse(str(UUID(int=first + i))) for i in range(count)], new()
    published = []
    for i, message_id in enumerate(ids):
        orden = ComandoCrearOrden(keys[i % len(keys)], producto, f"cliente-{i}", now(), 1, "Calle 45", new())
        published.append(to_outgoing(message_id, time.time_ns() // 1_000_000, "bff", orden))
    return published, {"primero": ids[0], "ultimo": ids[-1]}


def _run_round(platform: Platform, mode: str, parallelism: int, count: int) -> dict[str, Any]:
    name = f"{mode.lower()}-{parallelism}"
    own_copy = Clone(name, ORIGINAL, ComandoCrearOrden.topic, parallelism, MODES[mode])
    keys = [new() for _ in range(KEY_COUNT)]
    with ExitStack() as stack:
        saga = stack.enter_context(seeding.connection(platform, "saga"))
        stack.callback(saga.execute, _DELETE, {"claves": keys})
        stack.enter_context(clone.deployed(platform, own_copy))
        publish = stack.enter_context(clone.publisher(platform, own_copy))
        warm_up_messages, id_range = messages(
            KEY_COUNT * parallelism, keys
        )  # whoever reads has begun, and is connected
        publish(warm_up_messages)
        _wait_for_all(saga, id_range, len(warm_up_messages))
        measured_messages, id_range = messages(count, keys)
        with _suspended(platform, own_copy):
            publish(measured_messages)
            before, started_at = processes.cpu(platform.data), time.monotonic()
        _wait_for_all(saga, id_range, count)
        figures = _round_figures(platform, name, before, count, time.monotonic() - started_at)
        rows = platform.sql("saga", _ROWS, **id_range)
    assert len(rows) == count, f"{len(rows)} rows of {count} messages"
    return figures | out_of_order([(str(key), int(transaction)) for key, transaction in rows])


def _round_figures(
    platform: Platform, name: str, before: dict[str, float], count: int, seconds: float
) -> dict[str, float]:
    """`before`: CPU seconds until the first of all began, `seconds` ago."""
    cpu = processes.cpu_spent(before, processes.cpu(platform.data))
    log(f"  {count / seconds:.0f}/s")
    return {
        "mensajes_s": count / seconds,
        "cpu_ms": 1000 * processes.platform_total(cpu) / count,
        "cpu_funcion_ms": 1000 * cpu.get(name, 0.0) / count,
    }


def _wait_for_all(saga: sa.Connection, id_range: dict[str, str], count: int) -> None:
    """Returns when each has its row."""
    wait_for(f"{count} rows", lambda: saga.execute(_COUNT, id_range).scalar_one() >= count, TIMEOUT)


@contextmanager
def _suspended(platform: Platform, own_copy: Clone) -> Iterator[None]:
    """The copy's processes stand still, connected as they are: afterwards all begin at once."""
    instances = platform.instances(own_copy.name)
    assert len(instances) == own_copy.parallelism, instances
    try:
        for process in instances:
            process.suspend()
        yield
    finally:
        for process in instances:
            process.resume()
