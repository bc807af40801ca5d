"""What a monitor looks at, as a test wants it: a cluster where all is well, with what differs; messages."""

import threading
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tools.messages.received import ReceivedMessage
from tools.monitor.messages import Batch, KeepGoing
from tools.monitor.source import Observation, expected

from functions.cluster.admin_rest import AdminUnavailable

NOW: Final = 1_800_000_000.0
"""When it is looked, in s since 1970-01-01 UTC."""
EXPECTED: Final = expected()


def subscription(**fields: Any) -> dict[str, Any]:
    """As Pulsar 4.0.7 answers, without what nobody reads here."""
    healthy = {
        "msgRateRedeliver": 0.0,
        "msgBacklog": 0,
        "earliestMsgPublishTimeInBacklog": -1,
        "msgDelayed": 0,
        "unackedMessages": 0,
        "lastConsumedTimestamp": int(NOW * 1000) - 5000,
        "lastAckedTimestamp": int(NOW * 1000) - 4000,
        "consumers": [{}],
        "isDurable": True,
    }
    return healthy | fields


def stats(*subscriptions: str, **fields: Any) -> dict[str, Any]:
    healthy_stats = {
        name: subscription(**({"consumers": []} if name == "cuarentena" else {})) for name in subscriptions
    }
    figures = {"msgRateIn": 1.5, "msgRateOut": 2.5, "msgInCounter": 30, "msgOutCounter": 60, "storageSize": 2048}
    return {"subscriptions": healthy_stats} | figures | fields


def status(**instance: Any) -> dict[str, Any]:
    """Of a function with one instance."""
    instance_status: dict[str, Any] = {
        "running": True,
        "error": "",
        "numRestarts": 0,
        "numSuccessfullyProcessed": 7,
        "numUserExceptions": 0,
        "latestUserExceptions": [],
        "numSystemExceptions": 0,
        "latestSystemExceptions": [],
        "lastInvocationTime": int(NOW * 1000) - 3000,
    } | instance
    running = int(instance_status["running"])
    return {"numInstances": 1, "numRunning": running, "instances": [{"instanceId": 0, "status": instance_status}]}


def healthy(**fields: Any) -> Observation:
    """`fields`: fields of the look."""
    topics: dict[str, Any] = {topic: stats(*names) for topic, names in EXPECTED.subscriptions.items()}
    return replace(Observation(NOW, topics, {function: status() for function in EXPECTED.instances}), **fields)


def altered(observation: Observation, topic: str = "", function: str = "", **changes: Any) -> Observation:
    """With another answer about one topic or one function: `response`; or of one subscription: its changed figures."""
    topics, functions = deepcopy(dict(observation.topics)), dict(observation.functions)
    if function:
        functions[function] = changes["response"]
    elif "response" in changes:
        topics[topic] = changes["response"]
    else:
        subscription_name = changes.pop("subscription")
        topics[topic]["subscriptions"][subscription_name] = subscription(**changes)  # type: ignore[index]
    return replace(observation, topics=dict(sorted(topics.items())), functions=functions)


@dataclass
class FakeSource:
    """Shows `now`, which a test changes; a text is why the cluster is away."""

    now: Observation | str
    url: str = "http://cluster"
    observations: int = 0

    def observe(self) -> Observation:
        self.observations += 1
        if isinstance(self.now, str):
            raise AdminUnavailable(self.now)
        return self.now


@dataclass
class FakeMessageReader:
    """Messages of topics and of orders, by name or id; an exception is raised once."""

    messages: dict[str, list[ReceivedMessage]]
    failures: list[Exception] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    def by_topic(self, topic: str, keep_going: KeepGoing) -> Iterator[Batch]:
        if self.failures:
            raise self.failures.pop()
        seen = 0
        while keep_going():
            added = self.messages.get(topic, [])[seen:]
            seen += len(added)
            yield Batch(added, len(added), True)

    def by_orden(self, id_orden: str, keep_going: KeepGoing) -> Iterator[Batch]:
        return self.by_topic(id_orden, keep_going)

    def close(self) -> None:
        self.closed.set()
