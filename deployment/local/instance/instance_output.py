"""What `process` returns → the output topic."""

import base64
from collections.abc import Callable
from typing import Any

import pulsar

from instance_identity import InstanceConfig
from instance_package import IDENTITY, load
from instance_schemas import BYTES, build
from instance_stubs import Function_pb2

COMPRESSION = {
    Function_pb2.LZ4: pulsar.CompressionType.LZ4,
    Function_pb2.NONE: pulsar.CompressionType.NONE,
    Function_pb2.ZLIB: pulsar.CompressionType.ZLib,
    Function_pb2.ZSTD: pulsar.CompressionType.ZSTD,
    Function_pb2.SNAPPY: pulsar.CompressionType.SNAPPY,
}


class Output:
    """The producer is made with the first result, so that a function without results has none."""

    def __init__(self, client: Any, config: InstanceConfig) -> None:
        self._client = client
        self._config = config
        self._sink = config.function_details.sink
        self._schema: Any = None
        self._serde: Any = None
        self.topic: str = self._sink.topic
        self.producer: Any = None

    def send(self, result: Any, message: Any, confirmed: Callable[[Any, Any], None]) -> None:
        """The client calls `confirmed(result, message id)` later; raises what keeps it from sending."""
        if self.producer is None:
            self._open()
        payload = self._serde.serialize(result) if self._schema is BYTES else result
        if payload is None:
            return
        source = base64.urlsafe_b64encode(message.message_id().serialize()).decode()
        properties = {"__pfn_input_topic__": message.topic_name(), "__pfn_input_msg_id__": source}
        self.producer.send_async(payload, confirmed, properties=properties)

    def flush(self) -> None:
        """Wait for the broker's confirmation: closing would give up what is on its way."""
        if self.producer is not None:
            self.producer.flush()

    def _open(self) -> None:
        sink, spec = self._sink, self._sink.producerSpec
        self._serde = load(self._config.folder, sink.serDeClassName or IDENTITY)()
        self._schema = build(self._config.folder, sink.schemaType, sink.typeClassName, sink.schemaProperties)
        by_key = spec.batchBuilder == "KEY_BASED"
        self.producer = self._client.create_producer(
            self.topic,
            schema=self._schema,
            block_if_queue_full=True,
            batching_enabled=True,
            batching_type=pulsar.BatchingType.KeyBased if by_key else pulsar.BatchingType.Default,
            batching_max_publish_delay_ms=10,
            compression_type=COMPRESSION[spec.compressionType],
            # Never times out: a message that is not confirmed must hold up the input, not be lost.
            send_timeout_millis=0,
            properties=self._config.client_properties,
        )
