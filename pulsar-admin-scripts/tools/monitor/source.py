"""Reads a cluster over its admin REST API, and what the repository says that it should have."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import quote

from functions.cluster.admin_rest import THREADS, AdminUnavailable, Api
from functions.messages.topics import TENANT, short_name, without_partition
from functions.program.threads import map_in_threads
from tools.cluster.repository import delays, function_configs
from tools.cluster.topics import NAMESPACES, subscriptions

STATS_QUERY: Final = "getPreciseBacklog=true&subscriptionBacklogSize=true&getEarliestTimeInBacklog=true"
"""Exact backlogs instead of estimates, and since when the oldest message waits."""
Response = dict[str, Any] | str | None
"""A decoded answer; None: there is no such thing; a text: why it can't be read."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the repository says that a cluster should have. All names are short: `ordenes/crear-orden`.

    `subscriptions`: every topic with the subscriptions that it must have. `readers`: the function that a topic's
    subscription (topic, subscription) belongs to. `instances`: how many each function is configured to have. `delays`:
    the seconds after their publication at which a topic's messages are due, at the latest.
    """

    subscriptions: Mapping[str, tuple[str, ...]]
    readers: Mapping[tuple[str, str], str]
    instances: Mapping[str, int]
    delays: Mapping[str, float]


def expected() -> Expected:
    """What deployment/functions and schemas/ say."""
    configs = {f"{config['namespace']}/{config['name']}": config for config in function_configs().values()}
    longest_delays: dict[str, float] = {}
    for config in configs.values():
        for topic, seconds in delays(config).items():
            longest_delays[topic] = max(*map(float, seconds), longest_delays.get(topic, 0.0))
    return Expected(
        subscriptions={short_name(topic): tuple(names) for topic, names in subscriptions().items()},
        readers={
            (short_name(topic), config["subName"]): function
            for function, config in configs.items()
            for topic in config["inputSpecs"]
        },
        instances={function: config["parallelism"] for function, config in configs.items()},
        delays=longest_delays,
    )


@dataclass(frozen=True, slots=True)
class Observation:
    """What a cluster answered at one time.

    `timestamp`: when, in s since 1970-01-01 UTC. `topics`, `functions`: the stats and the status of each, by short
    names. `worker_error`: why the functions can't be read; else empty. `partitioned`: topics with partitions.
    """

    timestamp: float
    topics: Mapping[str, Response]
    functions: Mapping[str, Response]
    worker_error: str = ""
    partitioned: frozenset[str] = field(default_factory=frozenset)


class Source(Protocol):
    """Where observations come from."""

    @property
    def url(self) -> str:
        """What people know it by."""

    def observe(self) -> Observation:
        """Reads it now; AdminUnavailable if the brokers can't be read."""


class Cluster:
    """A real cluster: of all that our tenant has, and of all that is expected. Pulsar's own topics are left out.

    Reads many things at a time. If the functions workers can't be read, the
    observation says so; if the brokers can't, there is none.
    """

    def __init__(self, broker: Api, functions: Api, desired: Expected) -> None:
        """`broker`, `functions`: the admin API of the brokers, and that of the functions workers."""
        self._broker, self._functions, self._desired = broker, functions, desired
        self.url = broker.url

    def observe(self) -> Observation:
        namespaces = sorted({*(self._broker.read(f"/admin/v2/namespaces/{TENANT}") or ()), *NAMESPACES})
        topics, partitioned = self._topics(namespaces)
        worker_error = ""
        functions: dict[str, Response] = dict.fromkeys(self._desired.instances)
        try:
            functions = self._function_answers(namespaces)
        except AdminUnavailable as error:
            worker_error = str(error)
        return Observation(time.time(), topics, functions, worker_error, partitioned)

    def _topics(self, namespaces: Iterable[str]) -> tuple[dict[str, Response], frozenset[str]]:
        """The stats of each topic, and the topics with partitions."""
        paths = [f"/admin/v2/persistent/{namespace}" for namespace in namespaces]
        existing = _merge(map_in_threads(THREADS, self._broker.read, paths))
        partitioned = _merge(map_in_threads(THREADS, self._broker.read, [f"{path}/partitioned" for path in paths]))
        names = {short_name(without_partition(topic)) for topic in existing | partitioned if "/__" not in topic}
        partitioned_names = frozenset(map(short_name, partitioned))

        def stats(topic: str) -> Response:
            kind = "partitioned-stats?perPartition=false&" if topic in partitioned_names else "stats?"
            path = f"/admin/v2/persistent/{TENANT}/{quote(topic)}/{kind}{STATS_QUERY}"
            answer: Response = self._broker.try_read(path)
            return answer

        all_topics = sorted(names | set(self._desired.subscriptions))
        return dict(zip(all_topics, map_in_threads(THREADS, stats, all_topics), strict=True)), partitioned_names

    def _function_answers(self, namespaces: Iterable[str]) -> dict[str, Response]:
        """The status of each function; AdminUnavailable if the functions workers can't be read."""
        base = "/admin/v3/functions/"
        names = set(self._desired.instances)
        for namespace in namespaces:
            namespace_name = namespace.partition("/")[2]
            names |= {f"{namespace_name}/{name}" for name in self._functions.read(base + namespace) or ()}

        def status(function: str) -> Response:
            answer: Response = self._functions.try_read(f"{base}{TENANT}/{quote(function)}/status")
            return answer

        all_functions = sorted(names)
        return dict(zip(all_functions, map_in_threads(THREADS, status, all_functions), strict=True))


def _merge(lists: Iterable[list[str] | None]) -> set[str]:
    """All topics of lists of them; a namespace that does not exist has None."""
    return {topic for topics in lists for topic in topics or ()}
