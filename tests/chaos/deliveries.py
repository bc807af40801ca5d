"""What the broker can say about repetition: how often it handed out messages, and which messages topics hold twice.

Pulsar 4.0.7 has no counter of redeliveries. A subscription's `msgRateRedeliver` is a rate, and only of what consumers
ask for again: after a consumer or a broker was killed it stays 0. `msgOutCounter` counts every message handed to a
consumer, those handed out again included, since the topic was loaded; a restart of the broker sets it to 0.
"""

import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from http.client import HTTPException
from typing import Any, Final

import pulsar

from deployment.local import services
from tests.support.platform import Platform

TENANT: Final = "monoliticas"
QUARANTINE: Final = "cuarentena"
SAMPLING_INTERVAL: Final = 2.0
"""How often the broker's counters are read, in s."""


@dataclass(frozen=True, slots=True)
class Repetitions:
    """Of the topics that functions read, since the beginning."""

    messages: int
    """Acknowledged, those stored twice included, by each subscription."""
    deliveries: int
    """Handed out to functions; at least: what a broker handed out after its counters were last read is not in it."""
    published: int
    """Stored in all topics."""
    duplicates: dict[str, int]
    """By topic, messages stored once more: the same bytes, so the same id."""


def topics(platform: Platform) -> dict[str, Any]:
    """Each topic's figures, as the broker's admin API shows them, but without the subscriptions of readers, which never
    acknowledge the last entry.
    """
    found = {}
    for namespace in platform.read_admin(f"namespaces/{TENANT}"):
        for topic in platform.read_admin(f"persistent/{namespace}"):
            name = topic.removeprefix("persistent://")
            if "/__" not in name and not name.startswith(f"{TENANT}/despliegues/"):
                found[topic] = figures = platform.read_admin(f"persistent/{name}/stats")
                for reader in [each for each in figures["subscriptions"] if each.startswith("reader-")]:
                    del figures["subscriptions"][reader]
    return found


def subscription_stats(platform: Platform) -> dict[str, Any]:
    """Each topic's `subscriptions`."""
    return {topic: data["subscriptions"] for topic, data in topics(platform).items()}


class DeliveryCounter:
    """Keeps the latest `msgOutCounter` of each subscription in each life of the brokers."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._since = int(time.time() * 1000)
        self._deliveries: Counter[tuple[tuple[int | None, ...], str, str]] = Counter()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._initial_backlog = self.sample()
        self._deliveries_before = self._deliveries.total()
        self._thread = threading.Thread(target=self._sample_periodically, name="delivery-counter")
        self._thread.start()

    def sample(self) -> int:
        """Reads the counters now, unless the broker is away. Returns how many messages wait for functions."""
        pending = 0
        with self._lock, suppress(OSError, HTTPException, ValueError):
            brokers = [name for name in self._platform.services if name.startswith(("pulsar", "broker"))]
            lives = tuple(services.pid(self._platform.data, name) for name in brokers)
            for topic, subscriptions in subscription_stats(self._platform).items():
                for name, figures in subscriptions.items():
                    if name != QUARANTINE:
                        key = (lives, topic, name)
                        self._deliveries[key] = max(self._deliveries[key], figures["msgOutCounter"])
                        pending += figures["msgBacklog"]
        return pending

    def stop(self) -> Repetitions:
        """The figures; reads all topics for it."""
        self._stopping.set()
        self._thread.join()
        pending = self.sample()
        subscriptions = {(topic, name) for _, topic, name in self._deliveries}
        read_topics = sorted({topic for topic, _ in subscriptions})
        try:
            digests = _digests(self._platform, read_topics, self._since)
        except pulsar.PulsarException:  # without a broker there are no figures
            digests = {topic: Counter[bytes]() for topic in read_topics}
        duplicates = {topic: occurrences.total() - len(occurrences) for topic, occurrences in digests.items()}
        return Repetitions(
            messages=sum(digests[topic].total() for topic, _ in subscriptions) + self._initial_backlog - pending,
            deliveries=self._deliveries.total() - self._deliveries_before,
            published=sum(occurrences.total() for occurrences in digests.values()),
            duplicates={topic: count for topic, count in duplicates.items() if count},
        )

    def _sample_periodically(self) -> None:
        while not self._stopping.wait(SAMPLING_INTERVAL):
            self.sample()


def _digests(platform: Platform, read_topics: list[str], since: int) -> dict[str, Counter[bytes]]:
    """Digests of the messages that were stored in each topic since `since`, in ms since 1970."""
    client = platform.client()
    digests: dict[str, Counter[bytes]] = {}
    try:
        for topic in read_topics:
            reader = client.create_reader(topic, pulsar.MessageId.earliest)
            reader.seek(since)
            occurrences = digests[topic] = Counter[bytes]()
            while reader.has_message_available():
                occurrences[blake2b(reader.read_next(30_000).data(), digest_size=16).digest()] += 1
            reader.close()
    finally:
        client.close()
    return digests
