"""The context object that `process` gets: pulsar.Context over the current message and the configuration."""

import json
import logging
import re
import time
from typing import Any

import pulsar

from instance_identity import InstanceConfig
from instance_package import IDENTITY
from instance_publish import Publisher
from instance_stats import Stats


class Context(pulsar.Context):  # type: ignore[misc]  # pulsar-client has no types
    """Attributes are called as in upstream's, because functions can reach them.

    The methods for state and `get_ordering_key` are the inherited ones: they do nothing and return None.
    """

    def __init__(self, config: InstanceConfig, client: Any, secrets_provider: Any, stats: Stats) -> None:
        details = config.function_details
        self.instance_config = config
        self.log = logging.getLogger()
        self.pulsar_client = client
        self.user_code_dir = config.folder
        self.secrets_provider = secrets_provider
        self.stats = stats
        self.consumers: dict[str, Any] = {}
        self.message: Any = None
        self.current_start_time: float | None = None
        # Without configuration this is a list, not a dict: upstream's functions get the same.
        self.user_config: Any = json.loads(details.userConfig) if details.userConfig else []
        self.secrets_map: dict[str, Any] = json.loads(details.secretsMap) if details.secretsMap else {}
        self.publisher = Publisher(client, config, stats)
        self.publish_producers = self.publisher.producers

    def set_current_message_context(self, message: Any) -> None:
        self.message = message
        self.current_start_time = time.time()

    def get_message_id(self) -> Any:
        return self.message.message_id()

    def get_message_key(self) -> Any:
        return self.message.partition_key()

    def get_partition_key(self) -> Any:
        return self.message.partition_key()

    def get_message_eventtime(self) -> Any:
        return self.message.event_timestamp()

    def get_message_properties(self) -> Any:
        return self.message.properties()

    def get_current_message_topic_name(self) -> Any:
        return self.message.topic_name()

    def get_message_sequence_id(self) -> Any:
        """Ledger and entry in one number that grows along the topic."""
        message_id = self.get_message_id()
        return (message_id.ledger_id() << 28) | message_id.entry_id()

    def get_message_partition_index(self) -> Any:
        return self.get_message_id().partition()

    def get_function_tenant(self) -> Any:
        return self.instance_config.function_details.tenant

    def get_function_namespace(self) -> Any:
        return self.instance_config.function_details.namespace

    def get_function_name(self) -> Any:
        return self.instance_config.function_details.name

    def get_function_id(self) -> str:
        return self.instance_config.function_id

    def get_instance_id(self) -> str:
        return self.instance_config.instance_id

    def get_function_version(self) -> str:
        return self.instance_config.function_version

    def get_input_topics(self) -> list[str]:
        return list(self.instance_config.function_details.source.inputSpecs)

    def get_output_topic(self) -> Any:
        return self.instance_config.function_details.sink.topic

    def get_output_serde_class_name(self) -> Any:
        return self.instance_config.function_details.sink.serDeClassName

    def get_logger(self) -> logging.Logger:
        return self.log

    def get_pulsar_client(self) -> Any:
        return self.pulsar_client

    def get_user_config_value(self, key: str) -> Any:
        if key not in self.user_config:
            return None
        return self.user_config[key]

    def get_user_config_map(self) -> Any:
        return self.user_config

    def get_secret(self, secret_key: str) -> Any:
        if secret_key not in self.secrets_map:
            return None
        return self.secrets_provider.provide_secret(secret_key, self.secrets_map[secret_key])

    def publish(
        self,
        topic_name: str,
        message: Any,
        serde_class_name: str = IDENTITY,
        properties: dict[str, str] | None = None,
        compression_type: Any = None,
        callback: Any = None,
        message_conf: dict[str, Any] | None = None,
    ) -> None:
        options = dict(message_conf or {})
        if properties:
            options["properties"] = properties
        source = self.get_message_id()  # fails before the first message, as upstream's does
        producer = self.publisher.producer(str(topic_name), compression_type)
        payload = self.publisher.serialize(str(serde_class_name), message)
        confirmed = self.publisher.confirmation(str(topic_name), source, callback)
        producer.send_async(payload, confirmed, **options)

    def ack(self, msgid: Any, topic: str) -> None:
        """`topic` as the configuration has it, or one of its partitions."""
        name = topic if topic in self.consumers else re.sub(r"-partition-\d+$", "", topic)
        if name not in self.consumers:
            raise ValueError(f"Invalid topicname {topic}")
        self.consumers[name].acknowledge(msgid)

    def record_metric(self, metric_name: str, metric_value: float) -> None:
        self.stats.record(metric_name, metric_value)

    def get_metrics(self) -> dict[str, float]:
        return self.stats.user_figures()

    def reset_metrics(self) -> None:
        self.stats.reset_user_metrics()

    def get_and_reset_metrics(self) -> dict[str, float]:
        figures = self.get_metrics()
        self.reset_metrics()
        return figures
