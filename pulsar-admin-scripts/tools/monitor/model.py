"""What is shown of a cluster: rows of topics, subscriptions, functions, dead letters."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription of a topic.

    Counts are of messages; a batch counts as one. Times are in s since 1970-01-01 UTC, None if it never happened.

    `function`: short name of the function that it belongs to, None if to none of ours. `exists`: the cluster has it.
    `delayed`: how many messages of `backlog` are not due yet. `age`: seconds since the oldest unacknowledged message
    was due, None if there is none, or none is due. `unacked`: handed to consumers, and not acknowledged yet.
    `redelivery_rate`: messages a second that consumers ask for again. `last_acked`, `last_consumed`: by a consumer that
    is still connected.
    """

    topic: str
    name: str
    function: str | None = None
    exists: bool = False
    durable: bool = True
    backlog: int = 0
    delayed: int = 0
    age: float | None = None
    unacked: int = 0
    redelivery_rate: float = 0.0
    consumers: int = 0
    last_acked: float | None = None
    last_consumed: float | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic with its subscriptions.

    `name`: short name. `expected`: the repository has it; `exists`: the cluster has it. `unreadable`: why it could not
    be read, else empty. Rates are in messages a second. `messages`: published since the broker loaded the topic.
    """

    name: str
    subscriptions: tuple[Subscription, ...]
    expected: bool
    exists: bool = False
    unreadable: str = ""
    rate_in: float = 0.0
    rate_out: float = 0.0
    messages: int = 0
    stored_bytes: int = 0

    @property
    def backlog(self) -> int:
        """The longest backlog of its subscriptions."""
        return max((subscription.backlog for subscription in self.subscriptions), default=0)

    @property
    def age(self) -> float | None:
        """The greatest age of its subscriptions; None if no message is due."""
        return max((s.age for s in self.subscriptions if s.age is not None), default=None)


@dataclass(frozen=True, slots=True)
class Function:
    """One function.

    `name`: <namespace>/<name>. `expected`: the repository has it; `exists`: the cluster has it. `unreadable`: why its
    status could not be read, else empty. `instances`: how many are configured; `running`: how many run. `new_restarts`:
    restarts since the earlier observation that this one is compared with. `last_error`: one line, empty if there was
    none. `last_invocation`: in s since 1970-01-01 UTC, None if it never was.
    """

    name: str
    expected: bool
    instances: int
    exists: bool = False
    unreadable: str = ""
    running: int = 0
    restarts: int = 0
    new_restarts: int = 0
    processed: int = 0
    exceptions: int = 0
    last_error: str = ""
    last_invocation: float | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One observation of a cluster, in rows.

    `timestamp`: when it was made, in s since 1970-01-01 UTC. `topics`: all but the dead-letter topics, which are in
    `dead_letters`. `worker_error`: why no function could be read, else empty.
    """

    timestamp: float
    topics: tuple[Topic, ...]
    dead_letters: tuple[Topic, ...]
    functions: tuple[Function, ...]
    worker_error: str = ""

    @property
    def subscriptions(self) -> tuple[Subscription, ...]:
        """Those of all topics that are not dead-letter topics."""
        return tuple(subscription for topic in self.topics for subscription in topic.subscriptions)
