"""Publishing with confirmation through one Pulsar client, and a circuit breaker for when the broker is unavailable."""

import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Final

import pulsar

from functions.cluster import client_conf
from functions.messages.outgoing import Outgoing
from functions.messages.payloads import PAYLOADS
from functions.messages.topics import full_name
from functions.pulsar_io.errors import BacklogFull, SchemaRefused
from functions.pulsar_io.publisher import Publisher

TIMEOUT_MS: Final = 1500
"""Milliseconds that the broker has to confirm a message."""
CONNECT_TIMEOUT: Final = 1
"""Seconds that the broker has to open a producer. The client takes whole seconds only."""
MAX_WAIT: Final = 5.0
"""Longest wait of a request in seconds: for the batch before its own, for the producer, and for its own batch."""
PAUSE: Final = 1.0
"""Seconds for which requests fail at once after a failure; then one of them tries again."""

_log = logging.getLogger(__name__)


class BrokerUnavailable(Exception):
    """The broker did not confirm a message. If `sent`, it may have stored the message nevertheless. The text is for
    clients; what the Pulsar client said is the cause, and in the log.
    """

    def __init__(self, detail: str, *, sent: bool) -> None:
        super().__init__(detail)
        self.sent = sent


def connect(url: str, conf: Mapping[str, str]) -> Any:
    """A Pulsar client, which connects when it is first used. Raises ValueError or OSError for a `conf` it can't use.

    `conf`: a client.conf as client_conf.from_env reads it. The client's own log goes to the file BFF_PULSAR_LOG, by
    default nowhere: it repeats each failure several times a second.
    """
    logger = pulsar.FileLogger(pulsar.LoggerLevel.Warn, os.environ.get("BFF_PULSAR_LOG", os.devnull))
    timeouts = {"operation_timeout_seconds": CONNECT_TIMEOUT, "connection_timeout_ms": 1000 * CONNECT_TIMEOUT}
    return pulsar.Client(url, logger=logger, **timeouts, **client_conf.options(conf))


def disconnect(client: Any) -> None:
    """Closes the client; waits up to CONNECT_TIMEOUT seconds for the broker."""
    with suppress(pulsar.PulsarException):
        client.close()


class _Pending:
    """A message that waits to be published. `result` gets the failure, or None if the broker has stored the message."""

    __slots__ = ("message", "result")

    def __init__(self, message: Outgoing) -> None:
        self.message = message
        self.result: SimpleQueue[BrokerUnavailable | None] = SimpleQueue()


class _TopicProducer(threading.Thread):
    """Publishes to one topic, in a thread of its own, for as long as the process lives.

    Messages that come while the broker stores a batch are the next batch: to store a single message takes as long.
    After a failure the producer is given up, and messages fail at once for PAUSE seconds; then the next message opens a
    new one.
    """

    def __init__(self, client: Any, topic: str) -> None:
        super().__init__(name=topic, daemon=True)
        self.queue: SimpleQueue[_Pending] = SimpleQueue()
        self._client = client
        self._publisher: Publisher | None = None
        self._retry_at = 0.0
        self.start()

    def run(self) -> None:
        """Publishes batch after batch."""
        while True:
            batch = [self.queue.get()]
            while not self.queue.empty():
                batch.append(self.queue.get())
            failure = self._publish([pending.message for pending in batch])
            for pending in batch:
                pending.result.put(failure)

    def _publish(self, messages: Sequence[Outgoing]) -> BrokerUnavailable | None:
        if self._publisher is None and time.monotonic() < self._retry_at:
            return BrokerUnavailable("the broker did not answer a moment ago", sent=False)
        try:
            # a producer that has lost its broker reconnects by itself, but only after up to a minute
            self._publisher = self._publisher or Publisher(self._client, timeout_ms=TIMEOUT_MS)
            self._publisher.publish(messages)
        except Exception as error:  # whatever it is, requests wait for the result
            return self._failure(error)
        return None

    def _failure(self, error: Exception) -> BrokerUnavailable:
        now = time.monotonic()
        is_new = now >= self._retry_at
        self._retry_at = now + PAUSE
        self._publisher = None
        if is_new:
            _log.warning("can't publish to %s: %s", self.name, error)
        refused = isinstance(error, SchemaRefused | BacklogFull)  # in our own words, which customers may see
        text = f"the broker did not confirm: {error}" if refused else "the broker did not confirm"
        failure = BrokerUnavailable(text, sent=not refused)
        failure.__cause__ = error
        return failure


class Broker:
    """Publishes from any thread, and returns when the broker has stored the message.

    While the broker is unavailable a request learns that within 2 seconds, most of them at once. Nothing is kept for
    later, and nothing is published again: that is up to the client.

    Parameters:
      client: a Pulsar client, as `connect` makes it.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._topic_producers: dict[str, _TopicProducer] = {}
        self._lock = threading.Lock()

    def publish(self, message: Outgoing) -> None:
        """Returns when the broker has stored the message. Raises BrokerUnavailable after at most MAX_WAIT seconds."""
        pending = _Pending(message)
        self._topic_producer(message.topic).queue.put(pending)
        try:
            failure = pending.result.get(timeout=MAX_WAIT)
        except Empty:
            raise BrokerUnavailable("the broker did not answer in time", sent=True) from None
        if failure is not None:
            raise BrokerUnavailable(str(failure), sent=failure.sent) from failure.__cause__

    def check(self) -> None:
        """Raises BrokerUnavailable if the broker does not answer."""
        try:
            self._client.get_topic_partitions(full_name(next(iter(PAYLOADS))))
        except pulsar.PulsarException as error:
            _log.warning("the broker does not answer: %s", error)
            raise BrokerUnavailable("the broker does not answer", sent=False) from error

    def _topic_producer(self, topic: str) -> _TopicProducer:
        with self._lock:
            if topic not in self._topic_producers:
                self._topic_producers[topic] = _TopicProducer(self._client, topic)
            return self._topic_producers[topic]
