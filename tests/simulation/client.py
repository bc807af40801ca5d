"""One instance's connection to the broker in memory: what the real Publisher uses of the Pulsar client."""

from collections.abc import Callable
from typing import Any

import pulsar

from tests.simulation.broker import PREFIX, Broker
from tests.simulation.steps import Steps


class Client:
    """`unconfirmed`: how many more entries are stored without the broker's confirmation reaching the client.
    `twice`: how many more are stored twice.
    """

    def __init__(self, broker: Broker, steps: Steps) -> None:
        self.broker, self.steps = broker, steps
        self.unconfirmed = 0
        self.twice = 0

    def create_producer(self, topic: str, **_: Any) -> "Producer":
        if self.broker.is_away:
            raise pulsar.ConnectError("the broker is away")
        return Producer(self, topic.removeprefix(PREFIX))

    def get_topic_partitions(self, topic: str) -> list[str]:
        return [topic]

    def store(self, entry: list[tuple[Any, ...]]) -> bool:
        """Stores an entry, or nothing of it. True if the client hears that it is stored."""
        if self.broker.is_away:
            return False
        try:
            self.steps.cross(pulsar.Timeout)
            for _ in range(2 if self.twice else 1):
                for message in entry:
                    self.broker.store(*message)
            self.twice = max(0, self.twice - 1)
            self.steps.cross(pulsar.Timeout)
        except pulsar.Timeout:
            return False
        if self.unconfirmed:
            self.unconfirmed -= 1
            return False
        return True


class Producer:
    """Joins what it is sent until it is flushed; what is delivered later is an entry of its own."""

    def __init__(self, client: Client, topic: str) -> None:
        self._client, self._topic = client, topic
        self._entry: list[tuple[Any, ...]] = []
        self._callbacks: list[Callable[..., None]] = []

    def send_async(
        self,
        raw: bytes,
        callback: Callable[..., None] | None,
        partition_key: str = "",
        properties: dict[str, str] | None = None,
        deliver_at: int | None = None,
    ) -> None:
        """`deliver_at`: in ms since 1970."""
        message = (self._topic, raw, properties or {}, partition_key, deliver_at)
        if deliver_at is not None:
            is_stored = self._client.store([message])
            if callback is not None:
                callback(_result(is_stored), None)
            return
        self._entry.append(message)
        if callback is not None:
            self._callbacks.append(callback)

    def flush(self) -> None:
        if self._entry:
            entry, callbacks = self._entry, self._callbacks
            self._entry, self._callbacks = [], []
            result = _result(self._client.store(entry))
            for callback in callbacks:
                callback(result, None)


def _result(is_stored: bool) -> Any:
    return pulsar.Result.Ok if is_stored else pulsar.Result.Timeout
