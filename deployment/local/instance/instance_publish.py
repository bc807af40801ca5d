"""What `context.publish` needs: one producer for each topic, one serializer for each SerDe class."""

import logging
from collections.abc import Callable
from typing import Any

import pulsar

from instance_identity import InstanceConfig
from instance_package import load
from instance_stats import Stats

LOG = logging.getLogger()


class Publisher:
    """Producers are without schema, and are made at the first message for a topic."""

    def __init__(self, client: Any, config: InstanceConfig, stats: Stats) -> None:
        self._client = client
        self._config = config
        self._stats = stats
        self.producers: dict[str, Any] = {}
        self.serializers: dict[str, Any] = {}

    def producer(self, topic: str, compression: Any) -> Any:
        if topic not in self.producers:
            self.producers[topic] = self._client.create_producer(
                topic,
                block_if_queue_full=True,
                batching_enabled=True,
                batching_max_publish_delay_ms=10,
                compression_type=pulsar.CompressionType.NONE if compression is None else compression,
                properties=self._config.client_properties,
            )
        return self.producers[topic]

    def serialize(self, serde: str, message: Any) -> bytes:
        if serde not in self.serializers:
            self.serializers[serde] = load(self._config.folder, serde)()
        return bytes(self.serializers[serde].serialize(message))

    def flush(self) -> None:
        for producer in self.producers.values():
            producer.flush()

    def confirmation(self, topic: str, source: Any, callback: Any) -> Callable[[Any, Any], None]:
        """For the client to call: a failure counts as a system exception; then the function's callback."""

        def confirmed(result: Any, message_id: Any) -> None:
            if result != pulsar.Result.Ok:
                self._stats.system_exception(publish_failure(topic, result, source))
            if callback:
                callback(result, message_id)

        return confirmed


def publish_failure(topic: str, result: Any, source: Any) -> Exception:
    """Logged here, because it arrives where nobody can catch it."""
    text = f"Failed to publish to topic [{topic}] with error [{result}] with src message id [{source}]"
    LOG.error(text)
    return RuntimeError(text)
