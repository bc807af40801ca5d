"""Orders as the BFF publishes them, straight to the broker."""

import time
from typing import Final

import pulsar

from functions.messages import trace
from functions.messages.envelope import now
from functions.messages.ids import new, parse
from functions.messages.outgoing import Outgoing, to_outgoing
from functions.messages.payloads import ComandoCrearOrden
from functions.pulsar_io.publisher import Publisher
from tests.support.platform import Platform

BATCH_SIZE: Final = 1000


def publish(platform: Platform, count: int, productos: list[str]) -> list[str]:
    """Returns their ids, in order, once the broker has stored them all."""
    client = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    try:
        publisher, ids = Publisher(client), []
        for since in range(0, count, BATCH_SIZE):
            ordenes = [_orden(productos, i) for i in range(since, min(since + BATCH_SIZE, count))]
            publisher.publish([_message(orden) for orden in ordenes])
            ids += [str(orden.id_orden) for orden in ordenes]
        return ids
    finally:
        client.close()


def _orden(productos: list[str], number: int) -> ComandoCrearOrden:
    id_producto, street = parse(productos[number % len(productos)]), f"Calle {number % 100} # 13-40"
    return ComandoCrearOrden(new(), id_producto, f"cliente-{number % 1000}", now(), 1, street, new())


def _message(orden: ComandoCrearOrden) -> Outgoing:
    return to_outgoing(new(), time.time_ns() // 1_000_000, "bff", orden, trace.new())
