"""What Publicador takes for granted of the client and the broker: a call's messages to a topic are one entry."""

import pulsar
import pytest

from functions.messages.ids import new
from functions.messages.outgoing import to_outgoing
from functions.messages.payloads import ComandoEliminarProducto
from functions.pulsar_io.publisher import ENTRY_MAX_MESSAGES, Publisher
from tests.load.broker import request
from tests.support.platform import Platform

pytestmark = pytest.mark.e2e

TOPIC = f"persistent://monoliticas/{ComandoEliminarProducto.topic}"


def stored(platform: Platform) -> tuple[int, int]:
    """Entries and messages of TOPIC since the broker loaded it."""
    admin = f"{platform.admin_url}/admin/v2/{TOPIC.replace('://', '/')}"
    return request(f"{admin}/internalStats")["entriesAddedCounter"], request(f"{admin}/stats")["msgInCounter"]


def test_what_one_call_publishes_to_a_topic_is_one_entry(platform: Platform) -> None:
    count = ENTRY_MAX_MESSAGES - 1
    messages = [to_outgoing(new(), 0, "pruebas", ComandoEliminarProducto(new())) for _ in range(count)]
    client = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    try:
        publisher = Publisher(client)
        publisher.publish(messages[:1])  # whatever a first message is, beside an entry
        entries, before = stored(platform)
        publisher.publish(messages)
        assert stored(platform) == (entries + 1, before + count)
    finally:
        client.close()


def test_a_topic_with_partitions_can_be_told_from_one_without(platform: Platform) -> None:
    partitioned = "persistent://public/default/partido"
    request(f"{platform.admin_url}/admin/v2/{partitioned.replace('://', '/')}/partitions", "PUT", 1)
    client = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    try:
        assert client.get_topic_partitions(TOPIC) == [TOPIC]
        assert client.get_topic_partitions(partitioned) == [f"{partitioned}-partition-0"]
    finally:
        client.close()
