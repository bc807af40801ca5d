"""The broker alone: the messages of so many orders, sent and read by bare clients, in a namespace of their own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import cycle, islice
from typing import Any, Final

import pulsar
import yaml

from functions.messages.outgoing import Outgoing
from functions.pulsar_io.schema import AvroSchema
from tests.chaos.deliveries import TENANT
from tests.load import broker, parallel
from tests.load.chain import make_chains, outgoing_by_topic
from tests.load.parallel import Action
from tests.support.platform import ROOT, Platform

NAMESPACE: Final = f"{TENANT}/techo"
SAMPLE_SIZE: Final = 1000
"""Orders whose messages are made beforehand; all others have the same bytes."""
BATCH_SIZE: Final = 1000
"""Messages taken at once."""
PROCESSES_PER_CORE: Final = 2
"""Processes for each core: with one, threads of the same process wait for each other, and cores are idle."""
QUEUE_SIZE: Final = 10_000
"""Messages on their way, from each producer and to each consumer."""


def run(platform: Platform, count: int) -> float:
    """Seconds until all messages are stored, read by each subscription and acknowledged. The messages of orders'
    checks, which really come two minutes later, are sent and read like the others.
    """
    counts, readers = {topic: len(messages) for topic, messages in _messages_of(SAMPLE_SIZE).items()}, subscriptions()
    weights = {f"{topic} {who}": times for topic, times in counts.items() for who in ("", *readers[topic])}
    broker.request(f"{platform.admin_url}/admin/v2/namespaces/{NAMESPACE}", "PUT")
    try:
        for topic in counts:
            broker.request(_admin(platform, topic), "PUT")
        return parallel.run(partial(_prepare, platform, count), weights, PROCESSES_PER_CORE)
    finally:
        for topic in counts:
            broker.request(f"{_admin(platform, topic)}?force=true", "DELETE")
        broker.request(f"{platform.admin_url}/admin/v2/namespaces/{NAMESPACE}", "DELETE")


def subscriptions() -> dict[str, list[str]]:
    """The functions' ones, by "<namespace>/<topic>"."""
    by_topic: dict[str, list[str]] = {}
    for file in sorted((ROOT / "deployment" / "functions").glob("*.yaml")):
        config = yaml.safe_load(file.read_text("utf-8"))
        for topic in config["inputSpecs"]:
            by_topic.setdefault(topic.removeprefix(broker.PREFIX), []).append(config["subName"])
    return by_topic


def _messages_of(count: int) -> dict[str, list[Outgoing]]:
    return outgoing_by_topic(list(make_chains(count)))


def _topic_name(topic: str) -> str:
    return f"{NAMESPACE}/{topic.partition('/')[2]}"


def _admin(platform: Platform, topic: str) -> str:
    return f"{platform.admin_url}/admin/v2/persistent/{_topic_name(topic)}"


@contextmanager
def _prepare(platform: Platform, count: int, piece: str) -> Iterator[Sequence[Action]]:
    """What one subscription of a topic has to do; without subscription, what its producer has."""
    topic, _, subscription = piece.partition(" ")
    sample = _messages_of(min(count, SAMPLE_SIZE))[topic]
    total = count * len(sample) // min(count, SAMPLE_SIZE)
    client = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    create = partial(_consumer, subscription) if subscription else _producer
    try:
        endpoint = create(client, f"persistent://{_topic_name(topic)}", AvroSchema(None, {"topic": topic}))
        if subscription:
            yield [partial(_consume, endpoint, total)]
        else:
            yield [partial(_produce, endpoint, list(islice(cycle(sample), total)))]
    finally:
        client.close()


def _producer(client: Any, topic: str, schema: AvroSchema) -> Any:
    return client.create_producer(
        topic, schema=schema, batching_enabled=True, block_if_queue_full=True, max_pending_messages=QUEUE_SIZE
    )


def _consumer(subscription: str, client: Any, topic: str, schema: AvroSchema) -> Any:
    """Shared, as the functions' are."""
    return client.subscribe(
        topic,
        subscription,
        consumer_type=pulsar.ConsumerType.Shared,
        schema=schema,
        initial_position=pulsar.InitialPosition.Earliest,
        receiver_queue_size=QUEUE_SIZE,
        batch_receive_policy=pulsar.ConsumerBatchReceivePolicy(BATCH_SIZE, -1, 100),
    )


def _produce(producer: Any, outgoing_messages: Sequence[Outgoing]) -> None:
    """No confirmation of each: who reads them counts them."""
    for p in outgoing_messages:
        producer.send_async(p.raw, None, partition_key=p.key, properties=p.properties)
    producer.flush()


def _consume(consumer: Any, total: int) -> None:
    received_count = 0
    while received_count < total:
        messages = consumer.batch_receive()
        for message in messages:
            consumer.acknowledge(message)
        received_count += len(messages)
    consumer.close()  # sends the last acknowledgements
