"""Whole lives: few drivers serve many orders, each of which is dispatched and delivered as soon as it may be."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import pulsar
import sqlalchemy as sa

from functions.messages.ids import Id, new
from functions.messages.outgoing import to_outgoing
from functions.messages.payloads import ComandoDespacharOrden, ComandoEntregarOrden, Payload
from functions.pulsar_io.publisher import Publisher
from tests.load import broker, processes, seeding
from tests.load.bench import Bench
from tests.load.figures import log
from tests.load.goals import figure
from tests.load.ordenes import publish
from tests.support.platform import Platform, wait_for
from tests.support.reconfigure import reconfigure

DRIVERS: Final = 20
WAIT: Final = 86_400
"""How long an order waits for a driver, in s: longer than the measurement."""
PAUSE: Final = 0.005
"""Between two looks at the orders, in s."""
NEXT: Final[Mapping[str, Callable[[Id, Id], Payload]]] = {
    "iniciada": ComandoDespacharOrden,
    "despachada": ComandoEntregarOrden,
}
"""What is asked of an order in each state."""
_OPEN: Final = """
    select id_orden::text, transaction_id::text, estado from ordenes
    where id_producto = any(cast(:productos as uuid[])) and estado in ('iniciada', 'despachada')"""
_ENDED: Final = """
    select count(*), count(distinct id_driver) from ordenes
    where id_producto = any(cast(:productos as uuid[])) and estado = 'entregada'"""


def measure(bench: Bench) -> dict[str, Any]:
    """So many orders as Sizes.lives, from the first command to the last driver who is free again."""
    platform, count = bench.platform, bench.sizes.lives
    productos = seeding.productos(platform)
    with _patient(platform):
        _hire(platform)
        log(f"{DRIVERS} drivers serve {count} orders …")
        before, started_at = processes.cpu(platform.data), time.monotonic()
        publish(platform, count, productos)
        _deliver_all(platform, count, productos)
        free = "select count(*) from conductores where libre"
        wait_for("the drivers", lambda: platform.sql("conductores", free) == [(DRIVERS,)])
        seconds = time.monotonic() - started_at
        cpu = processes.cpu_spent(before, processes.cpu(platform.data))
    assert platform.sql("ordenes", _ENDED, productos=productos) == [(count, DRIVERS)]
    broker.quiesce(platform)
    log(f"{count} orders delivered in {seconds:.1f} s: {count / seconds:.0f}/s")
    return {
        "ordenes": count,
        "conductores": DRIVERS,
        "segundos": seconds,
        "vidas_s": count / seconds,
        "cpu_total_ms": 1000 * processes.platform_total(cpu) / count,
    }


def table(part: Mapping[str, Any]) -> tuple[str, list[str], list[list[str]]]:
    """The report's table."""
    rows = [
        ["orders, each delivered", f"{part['ordenes']:,}"],
        ["drivers", f"{part['conductores']}"],
        ["s until all are delivered and every driver is free", figure(part["segundos"])],
        ["orders delivered/s", figure(part["vidas_s"])],
        ["CPU ms for an order, all processes of the platform", figure(part["cpu_total_ms"])],
    ]
    return "Whole lives", ["what", ""], rows


@contextmanager
def _patient(platform: Platform) -> Iterator[None]:
    """Orders wait for a driver."""
    reconfigure(platform, "conductores", "asignar-conductor", ESPERA_CONDUCTOR=WAIT)
    try:
        yield
    finally:
        reconfigure(platform, "conductores", "asignar-conductor", ESPERA_CONDUCTOR=0)


def _hire(platform: Platform) -> None:
    """There are no other free drivers."""
    platform.sql("conductores", "update conductores set libre = false")
    seeding.conductores(platform, DRIVERS)


def _deliver_all(platform: Platform, count: int, productos: list[str]) -> None:
    """Asks for what is next of each order as soon as its state allows it, until all are delivered."""
    asked: set[tuple[str, str]] = set()
    client = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    publisher = Publisher(client)
    with seeding.connection(platform, "ordenes") as connection:
        while len(asked) < len(NEXT) * count:
            rows = connection.execute(sa.text(_OPEN), {"productos": productos}).all()
            wanted = [row for row in rows if (row[0], row[2]) not in asked]
            asked |= {(id_orden, estado) for id_orden, _, estado in wanted}
            comandos = [NEXT[estado](Id(id_orden), Id(transaction)) for id_orden, transaction, estado in wanted]
            now = time.time_ns() // 1_000_000
            publisher.publish([to_outgoing(new(), now, "bff", comando) for comando in comandos])
            time.sleep(PAUSE)
        wait_for(
            "the last delivery",
            lambda: connection.execute(sa.text(_ENDED), {"productos": productos}).one()[0] == count,
        )
    client.close()
