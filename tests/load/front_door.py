"""What thousands of connections that wait, watch, or are slow cost all others, on one worker."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import psutil

from deployment.local import services
from tests.load import broker, clients, requests, seeding
from tests.load.bench import Bench
from tests.load.figures import latencies, log
from tests.load.requests import Connection
from tests.load.slow import Address, slow_connections

STREAMS: Final = 2000
WAITS: Final = 1000
SLOW: Final = 1000
CLIENTS: Final = 32
"""In a closed loop, beside the slow ones."""
ROUNDS: Final = 2
"""With and without the slow ones, in turn."""
WATCHED: Final = 10.0
"""Seconds for which streams stay open, and nothing happens."""
LONGEST: Final = 120.0
"""Seconds for whatever has to happen."""
PER_SECOND: Final = 2000
"""More orders than can be accepted in a second: so many drivers are made."""
HELD_BACK: Final = "conductores/asignar-conductor"
"""The function without which no order ends."""


def measure(bench: Bench) -> dict[str, Any]:
    """Streams, waits, and slow connections beside clients at full speed; and the worker's memory at the end."""
    productos = seeding.productos(bench.platform)
    seeding.conductores(bench.platform, int(2 * ROUNDS * bench.sizes.seconds * PER_SECOND) + STREAMS + 2 * WAITS)
    return {
        "flujos": _streams(bench, productos),
        "esperas": _waits(bench, productos),
        "lentas": _slow(bench, productos),
        "memoria_mb": _memory(bench),
    }


def _streams(bench: Bench, productos: list[str]) -> dict[str, Any]:
    """All follow an order of their own, which does not end until all of them are there."""
    with _no_order_ends(bench) as let_them_end:
        log(f"{STREAMS} orders that don't end …")
        connection = Connection(bench.bff)
        raw_requests = (requests.orden(productos[number % len(productos)], number) for number in range(STREAMS))
        ids = [json.loads(connection.request(raw)[1])["id_orden"] for raw in raw_requests]
        connection.close()
        return asyncio.run(_follow(bench, ids, let_them_end))


async def _follow(bench: Bench, ids: list[str], let_them_end: Callable[[], None]) -> dict[str, Any]:
    log(f"{STREAMS} event streams …")
    begun, ended = Counter[str](), Counter[str]()
    opening: list[float] = []
    prober = asyncio.create_task(_probe(bench.bff, opening))
    streams = [asyncio.create_task(_stream(bench.bff, id_orden, begun, ended)) for id_orden in ids]
    await _until(lambda: len(begun) == STREAMS)
    prober.cancel()
    watching: list[float] = []
    prober = asyncio.create_task(_probe(bench.bff, watching))
    await asyncio.sleep(WATCHED)
    prober.cancel()
    memory = _memory(bench)
    ending: list[float] = []
    prober = asyncio.create_task(_probe(bench.bff, ending))
    await asyncio.to_thread(let_them_end)
    await _until(lambda: len(ended) == STREAMS)
    prober.cancel()
    for stream in streams:
        stream.cancel()
    return {
        "abiertos": len(begun),
        "terminados": len(ended),
        "health_al_abrir": latencies(opening),
        "health": latencies(watching),
        "health_al_terminar": latencies(ending),
        "memoria_mb": memory,
    }


async def _stream(address: Address, id_orden: str, begun: Counter[str], ended: Counter[str]) -> None:
    """Follows an order to its end, as a browser does: it comes again when the stream ends."""
    last_id = ""
    while True:
        reader, writer = await asyncio.open_connection(*address)
        headers = {"Connection": "close"} | ({"Last_Event_ID": last_id} if last_id else {})
        writer.write(requests.request("GET", f"/orders/{id_orden}/events", b"", "text/event-stream", **headers))
        while line := await reader.readline():
            if line.startswith(b"id: "):
                last_id = line[4:].decode().strip()
            if line == b"event: paso\n":
                begun[id_orden] += 1
            if line == b"event: orden\n":
                ended[id_orden] += 1
                writer.close()
                return
        writer.close()
        await asyncio.sleep(1)


def _waits(bench: Bench, productos: list[str]) -> dict[str, Any]:
    log(f"{WAITS} orders with Prefer: wait=10, at once, twice …")
    return asyncio.run(_wait(bench, productos))


async def _wait(bench: Bench, productos: list[str]) -> dict[str, Any]:
    answers: Counter[int] = Counter()
    seconds: list[float] = []
    probes: list[float] = []
    prober = asyncio.create_task(_probe(bench.bff, probes))

    async def place(number: int) -> None:
        raw = requests.orden(productos[number % len(productos)], number, Prefer="wait=10", Connection="close")
        started = time.monotonic()
        reader, writer = await asyncio.open_connection(*bench.bff)
        writer.write(raw)
        answer = await reader.read()
        seconds.append(time.monotonic() - started)
        answers[int(answer[9:12])] += 1
        writer.close()

    for _ in range(2):
        await asyncio.gather(*(place(number) for number in range(WAITS)))
    prober.cancel()
    return {
        "respuestas": {str(status): count for status, count in answers.items()},
        **latencies(seconds),
        "health": latencies(probes),
    }


def _slow(bench: Bench, productos: list[str]) -> dict[str, Any]:
    """Half of the slow ones send a byte of a body each second, half read a byte of the answer."""
    raw_requests = [requests.orden(productos[i % len(productos)], i) for i in range(1000)]
    speeds: dict[bool, list[float]] = {False: [], True: []}
    for beside in (False, True) * ROUNDS:
        log(f"{CLIENTS} clients, {bench.sizes.seconds:g} s, beside {SLOW if beside else 0} slow connections …")
        with slow_connections(bench.bff, SLOW if beside else 0):
            load_round = clients.run(bench.bff, CLIENTS, raw_requests, bench.sizes.seconds)
        speeds[beside].append(load_round.accepted_in_time / bench.sizes.seconds)
        broker.quiesce(bench.platform)
    return {"sin": speeds[False], "con": speeds[True], "razon": sum(speeds[True]) / sum(speeds[False])}


async def _probe(address: Address, seconds: list[float]) -> None:
    """Asks for /health again and again, on one connection."""
    reader, writer = await asyncio.open_connection(*address)
    while True:
        started = time.monotonic()
        writer.write(requests.request("GET", "/health"))
        buffer = b""
        while requests.parse_response(buffer) is None:
            buffer += await reader.read(65536)
        seconds.append(time.monotonic() - started)
        await asyncio.sleep(0.01)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONGEST):
        while not condition():
            await asyncio.sleep(0.1)


@contextmanager
def _no_order_ends(bench: Bench) -> Iterator[Callable[[], None]]:
    """Until what it yields is called, or it ends."""

    @cache
    def let_them_end() -> None:
        broker.start(bench.platform, HELD_BACK)

    broker.stop(bench.platform, HELD_BACK)
    try:
        yield let_them_end
    finally:
        let_them_end()


def _memory(bench: Bench) -> float:
    """MB of the BFF's workers."""
    supervisor = psutil.Process(services.pid(bench.platform.data, "bff") or 0)
    return sum(process.memory_info().rss for process in supervisor.children()) / 1e6
