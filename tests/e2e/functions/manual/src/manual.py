"""Acknowledges by itself, later and from a thread of its own; its input has a schema class from the package."""

import threading
from queue import SimpleQueue
from typing import Any

import pulsar


class PrefixSchema(pulsar.schema.BytesSchema):  # type: ignore[misc]  # pulsar-client has no types
    """Text with a prefix that the configuration names."""

    def __init__(self, record_class: Any, properties: Any) -> None:
        super().__init__()
        self._prefix = properties["prefix"]

    def decode(self, data: bytes) -> str:
        return f"{self._prefix}{data.decode()}"


class Manual(pulsar.Function):  # type: ignore[misc]
    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[Any, str, str, Any]] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def process(self, input: str, context: Any) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, args=(context,), daemon=True)
            self._thread.start()
        message = context.message
        self._waiting.put((message.message_id(), message.topic_name(), input, message.partition_key()))

    def _work(self, context: Any) -> None:
        producer = context.get_pulsar_client().create_producer(context.get_user_config_value("output"))
        while True:
            message_id, topic, text, key = self._waiting.get()
            producer.send(text.encode(), partition_key=key, properties={"instance": context.get_instance_id()})
            context.ack(message_id, topic)
