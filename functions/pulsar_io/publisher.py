"""Publishing: producers with the topics' schemas, and confirmed sends."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from itertools import count
from queue import Empty, SimpleQueue
from typing import Any, Final

import pulsar
from pulsar.schema import BytesSchema, Schema

from functions.messages.frozen import frozen
from functions.messages.outgoing import Outgoing
from functions.messages.payloads import PAYLOADS
from functions.messages.topics import full_name
from functions.pulsar_io.errors import BacklogFull, NotPublished, SchemaRefused
from functions.pulsar_io.schema import AvroSchema, RegisteredSchema

ENTRY_MAX_MESSAGES: Final = 1000
"""Messages that a producer joins into one entry of the broker, at most."""
ENTRY_MAX_BYTES: Final = 1 << 20
"""Bytes of messages in one entry, at most; their properties and keys come on top."""
OnStored = Callable[[Outgoing, Any], None]
"""A callback for a message that the broker has stored, with the id that it has there, the client's MessageId."""


@frozen
class _TopicProducer:
    """A producer. `batches`: it joins what it is sent into one entry, until it is flushed."""

    producer: Any
    batches: bool

    def is_one_entry(self, group: Sequence[Outgoing]) -> bool:
        """True if the broker stores all of these messages or none: the last one's confirmation stands for them all."""
        fits = len(group) < ENTRY_MAX_MESSAGES and sum(len(p.raw) for p in group) <= ENTRY_MAX_BYTES
        return self.batches and fits


class _Confirmations:
    """Collects the broker's answers to `total` sends; an instance is the callback of each."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._results: SimpleQueue[Any] = SimpleQueue()

    def __call__(self, result: Any, _id: Any) -> None:
        self._results.put(result)

    def wait_for(self, timeout: float) -> None:
        """Returns once all have come and are good. Raises NotPublished otherwise, at the latest after `timeout` s."""
        deadline = time.monotonic() + timeout
        try:
            results = {self._results.get(timeout=max(0.0, deadline - time.monotonic())) for _ in range(self._total)}
        except Empty:
            raise NotPublished(f"the broker did not answer within {timeout} s") from None
        if failures := results - {pulsar.Result.Ok}:
            raise NotPublished(f"the broker did not confirm: {', '.join(map(str, failures))}")


class Publisher:
    """Publishes messages and waits until the broker has confirmed them; for one thread.

    There is one producer for each topic and schema version, made when first needed, so that a message which an earlier
    version of a function put into a receipt is published with the schema that it was written in. What one call
    publishes to a topic is one entry of the broker, if it fits into one. Nothing is retried here, and a message whose
    confirmation did not come may be stored all the same.
    """

    def __init__(
        self,
        client: Any,
        *,
        timeout_ms: int = 30_000,
        on_stored: OnStored | None = None,
    ) -> None:
        """`timeout_ms`: longest wait for a confirmation, in milliseconds.

        `on_stored` is called once for each message that the broker has confirmed, with the message and its id, also if
        `publish` fails because of others. What it is not called for may be stored all the same. It is called from the
        client's thread, so it must be quick and must not raise. All of its calls are over when `publish` returns;
        if that raises, some may come later. Every message's confirmation is then asked for, which takes longer: without
        it only those that are needed are.
        """
        self._client, self._timeout_ms = client, timeout_ms
        self._on_stored = on_stored
        self._topic_producers: dict[tuple[str, str], _TopicProducer] = {}

    def publish(self, outgoing_messages: Sequence[Outgoing]) -> None:
        """Returns when the broker has stored all messages. Raises NotPublished, SchemaRefused or the client's error."""
        groups: dict[tuple[str, str], list[Outgoing]] = {}
        for p in outgoing_messages:
            groups.setdefault((p.topic, p.version), []).append(p)
        topic_producers = {key: self._topic_producer(*key) for key in groups}
        # a confirmation calls Python from the client's thread, which takes three times as long as the sending: of an
        # entry only the last one is asked for
        unconfirmed = {
            key: len(group) - 1 if topic_producers[key].is_one_entry(group) else 0 for key, group in groups.items()
        }
        confirmations = _Confirmations(len(outgoing_messages) - sum(unconfirmed.values()))
        try:
            with ExitStack() as on_exit:  # what stayed with a producer would be in the next call's entry
                # flushed in the order of the messages: a function's first output, the saga's next step, goes first
                for topic_producer in reversed(topic_producers.values()):
                    on_exit.callback(topic_producer.producer.flush)
                for key, group in groups.items():
                    for index, p in enumerate(group):
                        topic_producers[key].producer.send_async(
                            p.raw,
                            self._confirmed(confirmations, p) if index >= unconfirmed[key] else None,
                            partition_key=p.key,
                            properties=dict(p.properties),
                            # not deliver_after, which counts from this host's clock
                            deliver_at=_to_ms(p.deliver_at),
                        )
            # the client gives up by itself before that: this bounds the wait if it does not
            confirmations.wait_for(self._timeout_ms / 1000 + 5)
        except pulsar.AlreadyClosed:
            for key in topic_producers:
                del self._topic_producers[key]
            raise

    def _confirmed(self, confirmations: _Confirmations, message: Outgoing) -> Callable[[Any, Any], None]:
        """The client's callback for one message: `on_stored` first, so that it has been called once all are counted."""
        on_stored = self._on_stored
        if on_stored is None:
            return confirmations

        def confirmed(result: Any, message_id: Any) -> None:
            if result == pulsar.Result.Ok:
                on_stored(message, message_id)
            confirmations(result, message_id)

        return confirmed

    def _topic_producer(self, topic: str, version: str) -> _TopicProducer:
        if (topic, version) not in self._topic_producers:
            full_topic = full_name(topic)
            # dead letters are entries of their own, in chunks if need be, so that each can be acknowledged alone
            is_dead_letter = topic not in PAYLOADS
            # what is delivered later is an entry of its own, and each partition has entries of its own; on_stored wants
            # each message's own id, not only the last one's
            is_delayed = not is_dead_letter and PAYLOADS[topic].deliver_at is not None
            may_batch = not is_dead_letter and not is_delayed and self._on_stored is None
            batches = may_batch and self._client.get_topic_partitions(full_topic) == [full_topic]
            try:
                producer = self._client.create_producer(
                    full_topic,
                    schema=BytesSchema() if is_dead_letter else self._schema(topic, version),
                    send_timeout_millis=self._timeout_ms,
                    block_if_queue_full=True,
                    batching_enabled=not is_dead_letter,
                    batching_max_messages=ENTRY_MAX_MESSAGES,
                    batching_max_allowed_size_in_bytes=ENTRY_MAX_BYTES,
                    batching_max_publish_delay_ms=self._timeout_ms,  # a flush comes long before
                    chunking_enabled=is_dead_letter,
                )
            except pulsar.IncompatibleSchema as error:
                raise SchemaRefused(topic, version) from error
            except (pulsar.ProducerBlockedQuotaExceededError, pulsar.ProducerBlockedQuotaExceededException) as error:
                raise BacklogFull(topic) from error
            self._topic_producers[topic, version] = _TopicProducer(producer, batches)
        return self._topic_producers[topic, version]

    def _schema(self, topic: str, version: str) -> Schema:
        own = AvroSchema(None, {"topic": topic})
        if version == own.codec.version:
            return own
        for number in count():  # the broker numbers the versions, oldest first
            try:
                info = self._client._client.get_schema_info(full_name(topic), number)
            except pulsar.TopicNotFound as error:
                raise SchemaRefused(topic, version) from error
            if json.loads(info.schema()).get("version") == version:
                return RegisteredSchema(info)


def _to_ms(moment: datetime | None) -> int | None:
    """Milliseconds since 1970-01-01 UTC, as the client takes them."""
    return None if moment is None else round(moment.timestamp() * 1000)
