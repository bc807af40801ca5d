"""Orders over HTTP: many clients in a closed loop, and one order at a time."""

import json
import time
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from tests.load import broker, clients, processes, requests, seeding
from tests.load.bench import Bench
from tests.load.figures import latencies, log
from tests.load.requests import JSON, XML, Connection

MAX_PER_SECOND: Final = 4000
"""More orders than can be accepted in a second: so many drivers are made."""
PAUSE: Final = 0.002
LONG_PAUSE: Final = 0.1
"""Between two looks at one order, and at all of a round, in s: each look costs what it counts."""
WARM_UP: Final = 200
"""Orders before the single ones that are measured: a Java that has just begun takes twice as long."""
TIMEOUT: Final = 600
_COUNT_ENDED: Final = sa.text("""
    select count(*) filter (where estado = 'iniciada'), count(*) filter (where estado <> 'creada') from ordenes
    where id_producto = any(cast(:productos as uuid[]))""")


def measure(bench: Bench) -> dict[str, Any]:
    """A round for each format and number of clients."""
    rounds = [(media_type, count) for media_type in (JSON, XML) for count in bench.sizes.clients]
    return {"rondas": [run_round(bench, media_type, count) for media_type, count in rounds]}


def run_round(bench: Bench, media_type: str, count: int) -> dict[str, Any]:
    """So many clients in a closed loop, and until all that they ordered has ended."""
    platform, seconds = bench.platform, bench.sizes.seconds
    productos = seeding.productos(platform)
    seeding.conductores(platform, int(seconds * MAX_PER_SECOND))
    raw_requests = [requests.orden(productos[i % len(productos)], i, media_type) for i in range(1000)]
    log(f"{count} clients, {media_type.partition('/')[2]}, {seconds:g} s …")
    before = processes.cpu(platform.data)
    load_round = clients.run(bench.bff, count, raw_requests, seconds)
    after_sending = processes.cpu(platform.data)
    accepted = load_round.responses["202"]
    iniciadas, final = _wait_until_ended(bench, productos, accepted)
    cpu = processes.cpu_spent(before, processes.cpu(platform.data))
    cpu_while_sending = processes.cpu_spent(before, after_sending)
    broker.quiesce(platform)
    return {
        "tipo": media_type.partition("/")[2],
        "clientes": count,
        "aceptadas": accepted,
        "aceptadas_s": load_round.accepted_in_time / seconds,
        "sagas_s": accepted / (final - load_round.started),
        "iniciadas": iniciadas,
        "respuestas": dict(load_round.responses),
        **latencies(load_round.latencies),
        "cpu_ms": {name: 1000 * usage / accepted for name, usage in cpu.items()},
        "parte_de_la_carga": cpu_while_sending[processes.LOAD_GENERATOR] / sum(cpu_while_sending.values()),
    }


def _wait_until_ended(bench: Bench, productos: list[str], accepted: int) -> tuple[int, float]:
    """How many are iniciada once all have ended, and when that was seen."""
    deadline = time.monotonic() + TIMEOUT
    with seeding.connection(bench.platform, "ordenes_lectura") as read_database:
        while True:
            moment = time.monotonic()
            iniciadas, ended = read_database.execute(_COUNT_ENDED, {"productos": productos}).one()
            if ended >= accepted:
                return iniciadas, moment
            assert moment < deadline, f"{ended} of {accepted} orders have ended"
            time.sleep(LONG_PAUSE)


def single_orders(bench: Bench) -> dict[str, Any]:
    """One order at a time: until the answer that waited for the end, and until a look shows the end."""
    count = bench.sizes.single_orders
    productos = seeding.productos(bench.platform)
    seeding.conductores(bench.platform, 2 * count + WARM_UP)
    log(f"{count} single orders, twice, after {WARM_UP} that don't count …")
    connection = Connection(bench.bff)
    builders = [partial(requests.orden, productos[i % len(productos)], i) for i in range(count)]
    for i in range(WARM_UP):
        _timed_wait(connection, builders[i % count](Prefer="wait=10"))
    waited = [_timed_wait(connection, send(Prefer="wait=10")) for send in builders]
    observations = [_timed_poll(connection, send()) for send in builders]
    connection.close()
    broker.quiesce(bench.platform)
    return {
        "espera": latencies(waited),
        "mirada": latencies([total for total, _ in observations]),
        "aceptada": latencies([first for _, first in observations]),
        "cada_una_ms": [round(1000 * seconds, 2) for seconds in waited],
    }


def _timed_wait(connection: Connection, raw: bytes) -> float:
    started_at = time.monotonic()
    status, body = connection.request(raw)
    elapsed = time.monotonic() - started_at
    assert (status, json.loads(body).get("estado")) == (200, "iniciada"), body
    return elapsed


def _timed_poll(connection: Connection, raw: bytes) -> tuple[float, float]:
    """Until it is seen to be iniciada, and until it was accepted."""
    started_at = time.monotonic()
    status, body = connection.request(raw)
    accepted = time.monotonic() - started_at
    assert status == 202, body
    observe = requests.request("GET", f"/orders/{json.loads(body)['id_orden']}")
    while True:
        status, body = connection.request(observe)
        if status == 200 and json.loads(body)["estado"] == "iniciada":
            return time.monotonic() - started_at, accepted
        assert time.monotonic() < started_at + 30, body
        time.sleep(PAUSE)
