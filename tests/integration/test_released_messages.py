"""Messages in the bytes of released schema versions go through today's functions, as they came when they were sent."""

import json
from typing import Any

import _pulsar
import pytest
from tools.cluster.schema_files import read, readers, released, released_files, topics

from functions.messages.ids import new
from functions.messages.payloads import ComandoRegistrarConductor
from functions.pulsar_io.schema import AvroSchema, Received
from tests.support.data import make_orden, pedir_conductor
from tests.support.fake_pulsar import PREFIX, FakeMessage
from tests.support.platform import Platform
from tests.support.world import World

FIRST_TOPICS = (
    "productos/comando-crear-producto",
    "conductores/comando-registrar-conductor",
    "ordenes/comando-crear-orden",
)
"""What the others are about."""
COMPLETAR = "conductores/comando-completar-asignacion"
"""About an order that was delivered, which the others' order is not."""
GENERATIONS = range(1, 1 + max(max(released(topic)) for topic in topics()))


class Registry:
    """A registry of all released versions; the broker counts them from 0."""

    def get_schema_info(self, topic: str, version: int) -> Any:
        definition = released(topic.removeprefix(PREFIX))[version + 1]
        return _pulsar.SchemaInfo(_pulsar.SchemaType.AVRO, "AVRO", json.dumps(definition))


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("index", [0, 1])
def test_released_messages_are_processed_and_none_is_quarantined(world: World, generation: int, index: int) -> None:
    """One sample of each topic is one saga: the usual values, and the unusual ones."""
    world.clear()
    for topic in sorted(set(topics()) - {COMPLETAR}, key=lambda topic: (topic not in FIRST_TOPICS, topic)):
        number = min(generation, max(released(topic)))
        for function in readers(topic):
            world.deliver(function, [sample(topic, number, index)])
    assert [topic for topic, _, _ in world.broker.published if topic.endswith("-dlq")] == []


@pytest.mark.parametrize("number", released(COMPLETAR))
@pytest.mark.parametrize("index", [0, 1])
def test_so_is_what_only_a_delivered_order_leads_to(world: World, number: int, index: int) -> None:
    world.clear()
    message = sample(COMPLETAR, number, index)
    completar: Any = message.message().data
    ids = {"id_orden": completar.id_orden, "transaction_id": completar.transaction_id}
    world.broker.send(ComandoRegistrarConductor(new(), None), pedir_conductor(make_orden(**ids)))
    for function in ("registrar-conductor", "asignar-conductor"):
        world.deliver(function, world.pending(function))
    world.deliver("completar-asignacion", [message])
    assert [topic for topic, _, _ in world.broker.published if topic.endswith("-dlq")] == []


def test_what_a_released_message_says_is_what_is_stored(world: World, databases: Platform) -> None:
    world.clear()
    expected = {}
    for number, index in ((1, 1), (2, 0)):
        parsed = read(released_files("ordenes/comando-crear-orden", number)[1])["samples"][index]["message"]["data"]
        expected[parsed["id_orden"]] = (parsed["direccion_entrega"], parsed.get("instrucciones_entrega"))
        world.deliver("crear-orden", [sample("ordenes/comando-crear-orden", number, index)])
    stored = databases.sql("ordenes", "select id_orden::text, direccion_entrega, instrucciones_entrega from ordenes")
    assert {id_orden: (address, what) for id_orden, address, what in stored} == expected


def sample(topic: str, number: int, index: int) -> Received:
    content = read(released_files(topic, number)[1])["samples"][index]["bytes"]
    schema = AvroSchema(None, {"topic": topic})
    schema.attach_client(Registry())
    return schema.decode_message(FakeMessage(topic, bytes.fromhex(content), version=number - 1))
