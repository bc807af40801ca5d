"""A broker in memory that does what Pulsar does for Shared subscriptions, by its own clock."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Final

from tests.simulation.clock import Clock

HOST: Final = "broker"
QUARANTINE: Final = "cuarentena"
"""The subscription of topics with dead letters."""
PREFIX: Final = "persistent://monoliticas/"


@dataclass(slots=True, eq=False)
class Stored:
    """A message as the client library shows it; `number` is where the broker has it, and no two have the same.
    `decoded`: what a receiver has made of the bytes, kept for the others.
    """

    topic: str
    raw: bytes
    message_properties: dict[str, str]
    key: str
    number: int
    decoded: Any = None

    def data(self) -> bytes:
        return self.raw

    def topic_name(self) -> str:
        return PREFIX + self.topic

    def message_id(self) -> str:
        return f"({self.number},0,-1,0)"

    def properties(self) -> dict[str, str]:
        return self.message_properties

    def partition_key(self) -> str:
        return self.key

    def int_schema_version(self) -> int:
        return -1


@dataclass(slots=True, eq=False)
class Subscription:
    """What a function has not acknowledged. `ready`: to be handed out, oldest first; it may hold what was acknowledged
    since. `delayed`: when by the broker's clock in ms, and what. `unacknowledged`: all of it, by number.
    """

    name: str
    ready: deque[Stored] = field(default_factory=deque)
    delayed: list[tuple[int, int, Stored]] = field(default_factory=list)
    unacknowledged: dict[int, Stored] = field(default_factory=dict)

    def acknowledge(self, message: Stored) -> None:
        self.unacknowledged.pop(message.number, None)

    def redeliver(self, messages: Iterable[Stored]) -> None:
        """Has those that are not acknowledged handed out again."""
        self.ready.extend([message for message in messages if message.number in self.unacknowledged])

    def redeliver_all(self) -> None:
        """As when all consumers connect again: what was handed out comes again, what is delayed stays so."""
        delayed = {message.number for _, _, message in self.delayed}
        self.ready = deque([one for number, one in self.unacknowledged.items() if number not in delayed])

    def take(self, most: int, now: int) -> list[Stored]:
        """At most `most` messages that are due at `now`, in ms by the broker's clock. They stay unacknowledged."""
        while self.delayed and self.delayed[0][0] <= now:
            self.ready.append(heappop(self.delayed)[2])
        taken: list[Stored] = []
        while self.ready and len(taken) < most:
            message = self.ready.popleft()
            if message.number in self.unacknowledged:
                taken.append(message)
        return taken

    def skip_all(self) -> list[Stored]:
        """What an operator does who clears the backlog; what is delayed is in it, as in Pulsar."""
        skipped = list(self.unacknowledged.values())
        self.ready.clear()
        self.delayed.clear()
        self.unacknowledged.clear()
        return skipped


class Broker:
    """`subscriptions`: by topic. `is_away`: nobody reaches it. `on_message` is told of each subscription that has got
    messages, and by when, in ms of the broker's clock, the first of them is due.
    """

    def __init__(
        self, clock: Clock, topics: dict[str, list[Subscription]], on_message: Callable[[Subscription, int], None]
    ) -> None:
        self.clock, self.subscriptions, self._on_message = clock, topics, on_message
        self.is_away = False
        self.stored = 0

    def now(self) -> int:
        """The broker's time, in ms since 1970."""
        return self.clock.of(HOST) // 1_000_000

    def store(
        self, topic: str, raw: bytes, properties: dict[str, str], key: str, deliver_at: int | None = None
    ) -> None:
        """Hands a message to each subscription of its topic; `deliver_at`: not before, in ms by the broker's clock."""
        self.stored += 1
        message = Stored(topic, raw, properties, key, self.stored)
        now = self.now()
        for subscription in self.subscriptions[topic]:
            subscription.unacknowledged[message.number] = message
            if deliver_at is not None and deliver_at > now:
                heappush(subscription.delayed, (deliver_at, message.number, message))
                self._on_message(subscription, deliver_at)
            else:
                subscription.ready.append(message)
                self._on_message(subscription, now)

    def dead_letters(self) -> list[Stored]:
        """What is in quarantine."""
        return [
            message
            for subscriptions in self.subscriptions.values()
            for subscription in subscriptions
            if subscription.name == QUARANTINE
            for message in subscription.unacknowledged.values()
        ]

    def stats(self) -> dict[str, Any]:
        """By topic and subscription, the figures that the invariants read of Pulsar's admin API."""
        return {
            topic: {
                one.name: {
                    "msgBacklog": len(one.unacknowledged),
                    "msgBacklogNoDelayed": len(one.unacknowledged) - len(one.delayed),
                    "consumers": [one.name],
                }
                for one in subscriptions
            }
            for topic, subscriptions in self.subscriptions.items()
        }
