"""20,000 messages of garbage on every input topic, among 1,000 good orders."""

import json
import random
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psutil
import pulsar
import pytest

from functions.messages.codec import MAX_BYTES
from functions.messages.ids import new
from functions.messages.outgoing import to_outgoing
from functions.messages.payloads import ComandoCrearOrden
from functions.pulsar_io.schema import AvroSchema
from tests.chaos.deliveries import subscription_stats
from tests.e2e.instance_helpers import skip_all
from tests.e2e.test_saga import crear_producto, registrar_conductores, stock
from tests.support.data import listo, make_orden
from tests.support.engines import configuration
from tests.support.platform import Platform, wait_for
from tests.support.world import FUNCTIONS

pytestmark = pytest.mark.e2e

GARBAGE, ORDENES = 20_000, 1_000
MAX_RSS = 300 * 2**20
"""Of one instance, in bytes; an idle one has about 75 MB."""
INPUTS = {name: list(configuration(name)["inputSpecs"]) for name in FUNCTIONS}
TOPICS = sorted({topic for topics in INPUTS.values() for topic in topics})


def unreadable_message(rng: random.Random, topic: str, number: int) -> bytes:
    """Bytes that no function can read as a message of its topic."""
    good = to_outgoing(new(), 0, "pruebas", make_orden()).raw
    match number % 6:
        case 0:
            return rng.randbytes(rng.randint(1, 2000))
        case 1:
            return good[: rng.randint(1, 60)]
        case 2:
            return b""
        case 3 if number % 600 == 3:
            return rng.randbytes(4 * 2**20)
        case 3:
            return good + rng.randbytes(MAX_BYTES)
        case 4:
            return to_outgoing(new(), 0, "pruebas", other_message(topic)).raw
    return json.dumps({"id": str(new()), "cantidad": 1}).encode()


def other_message(topic: str) -> Any:
    """A good message, of another topic."""
    return listo(make_orden()) if topic.endswith("comando-crear-orden") else make_orden()


def impossible() -> ComandoCrearOrden:
    """Can be read, but no order may be so: made past the checks of its class."""
    invalid_orden = make_orden(cantidad=1)
    object.__setattr__(invalid_orden, "cantidad", -(2**31))
    return invalid_orden


@contextmanager
def peak_memory(platform: Platform) -> Iterator[dict[str, int]]:
    """The largest resident memory that an instance of each function has meanwhile, in bytes."""
    peaks: Counter[str] = Counter()
    stop = threading.Event()

    def observe() -> None:
        while not stop.wait(0.5):
            for name in FUNCTIONS:
                for process in platform.instances(name):
                    try:
                        peaks[name] = max(peaks[name], process.memory_info().rss)
                    except psutil.NoSuchProcess:
                        continue

    thread = threading.Thread(target=observe)
    thread.start()
    try:
        yield peaks
    finally:
        stop.set()
        thread.join()


def send_garbage(platform: Platform, topic: str, numbers: range) -> None:
    """Sends garbage that says in a property which one it is."""
    rng, name = random.Random(topic), topic.removeprefix("persistent://monoliticas/")
    client = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    try:
        producer = client.create_producer(topic, schema=AvroSchema(None, {"topic": name}), block_if_queue_full=True)
        failures: list[object] = []
        for number in numbers:
            raw = unreadable_message(rng, topic, number)
            if name == "ordenes/comando-crear-orden" and number % 10 == 5:
                raw = to_outgoing(new(), 0, "pruebas", impossible()).raw
            producer.send_async(
                raw,
                lambda result, _: failures.append(result) if result != pulsar.Result.Ok else None,
                properties={"basura": f"{topic} {number}"},
            )
        producer.flush()
        assert failures == []
    finally:
        client.close()


def dead_letters(platform: Platform, name: str) -> Counter[str]:
    """Which garbage is in a function's dead-letter topic; empties it."""
    client = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    dlq = f"persistent://monoliticas/{configuration(name)['namespace']}/{name}-dlq"
    seen: Counter[str] = Counter()
    try:
        reader = client.create_reader(dlq, pulsar.MessageId.earliest)
        while reader.has_message_available():
            dead_letter = reader.read_next(timeout_millis=10_000)
            properties = dead_letter.properties()
            assert properties["dlq-reason"]
            if "basura" in properties:
                seen[properties["basura"]] += 1
    finally:
        client.close()
    skip_all(platform, dlq, "cuarentena")
    return seen


def pending(platform: Platform) -> int:
    """Messages on all inputs that their functions have not acknowledged, but those for later."""
    figures = subscription_stats(platform)
    return sum(subscription["msgBacklogNoDelayed"] for topic in TOPICS for subscription in figures[topic].values())


def test_garbage_everywhere_stops_no_order_and_ends_in_quarantine_with_reasons(platform: Platform) -> None:
    id_producto = crear_producto(platform, 2 * ORDENES)
    registrar_conductores(platform, ORDENES + 100)
    per_topic = GARBAGE // len(TOPICS) + 1
    with peak_memory(platform) as peaks, ThreadPoolExecutor(4 + 8) as executor:
        senders = [executor.submit(send_garbage, platform, topic, range(per_topic)) for topic in TOPICS]
        ordenes = list(executor.map(lambda _: request_until_accepted(platform, id_producto), range(ORDENES)))
        for sender in senders:
            sender.result()
        ended = "select count(*) from ordenes where id_orden = any(cast(:ids as uuid[])) and estado = 'iniciada'"
        wait_for("the end of all good orders", lambda: have_ended(platform, ended, ordenes))
        wait_for("nothing left on any input", lambda: pending(platform) == 0)
    query = "select count(*) from ordenes where id_producto = :id and estado = 'iniciada'"
    assert stock(platform, id_producto) == 2 * ORDENES - platform.sql("ordenes", query, id=id_producto)[0][0]
    for name, topics in INPUTS.items():
        expected = {f"{topic} {number}" for topic in topics for number in range(per_topic)}
        assert set(dead_letters(platform, name)) == expected, name
    print({name: f"{bytes_ / 2**20:.0f} MB" for name, bytes_ in peaks.items()})
    assert max(peaks.values()) < MAX_RSS, peaks


def request_until_accepted(platform: Platform, id_producto: str) -> str:
    """An order, asked for until it is accepted: a broker so busy may be too slow for the BFF, which says so.

    What got no 202 may have become an order nevertheless.
    """
    fields = {"id_producto": id_producto, "user_id": "ana", "cantidad": 1, "direccion_entrega": "Calle 45"}

    def accepted() -> str | None:
        status, body, _ = platform.request("POST", "/orders", fields)
        assert status in (202, 503), body
        return str(body["id_orden"]) if status == 202 else None

    return wait_for("an accepted order", accepted) or ""


def have_ended(platform: Platform, query: str, ordenes: list[str]) -> bool:
    return platform.sql("ordenes_lectura", query, ids=ordenes) == [(len(ordenes),)]
