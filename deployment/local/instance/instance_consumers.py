"""The function's inputs → subscribed consumers."""

import logging
import re
from collections.abc import Callable
from typing import Any

import pulsar

from instance_identity import InstanceConfig
from instance_package import IDENTITY, load
from instance_receive import Input
from instance_schemas import BYTES, build
from instance_stubs import Function_pb2

LOG = logging.getLogger()
DEFAULT_QUEUE = 1000  # messages; the client's own default


def subscribe(client: Any, config: InstanceConfig) -> list[Input]:
    details = config.function_details
    old_style = details.source.topicsToSerDeClassName
    inputs = {topic: Function_pb2.ConsumerSpec(serdeClassName=serde) for topic, serde in old_style.items()}
    inputs.update(details.source.inputSpecs)
    common = {
        "consumer_type": consumer_type(details),
        "initial_position": _position(details.source),
        "unacked_messages_timeout_ms": int(details.source.timeoutMs) or None,
        "properties": config.client_properties,
    }
    subscription = details.source.subscriptionName.strip() and details.source.subscriptionName
    consumers = []
    for topic, spec in inputs.items():
        schema = build(config.folder, spec.schemaType, details.source.typeClassName, spec.schemaProperties)
        decode = _decoder(config.folder, schema, spec.serdeClassName or IDENTITY)
        queue = max(1, spec.receiverQueueSize.value) if spec.HasField("receiverQueueSize") else DEFAULT_QUEUE
        LOG.debug("Subscribing to %s as %s", topic, subscription or config.full_name)
        consumer = client.subscribe(
            re.compile(topic) if spec.isRegexPattern else topic,
            subscription or config.full_name,
            schema=schema,
            receiver_queue_size=queue,
            **common,
        )
        consumers.append(Input(topic, consumer, decode))
    return consumers


def consumer_type(details: Any) -> Any:
    """Keeping order wins over keeping order by key, and both over the subscription type."""
    if details.retainOrdering:
        return pulsar.ConsumerType.Failover
    if details.retainKeyOrdering:
        return pulsar.ConsumerType.KeyShared
    if details.source.subscriptionType == Function_pb2.FAILOVER:
        return pulsar.ConsumerType.Failover
    return pulsar.ConsumerType.Shared


def _position(source: Any) -> Any:
    earliest = source.subscriptionPosition == Function_pb2.EARLIEST
    return pulsar.InitialPosition.Earliest if earliest else pulsar.InitialPosition.Latest


def _decoder(folder: str, schema: Any, serde_name: str) -> Callable[[Any], Any]:
    serde = load(folder, serde_name)()
    if schema is BYTES:
        return lambda message: serde.deserialize(message.data())
    return lambda message: message.value()
