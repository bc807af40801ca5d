"""From what a cluster answered, an observation, to rows. Pure functions."""

from collections.abc import Mapping
from typing import Any

from functions.messages.topics import is_dead_letter_topic, short_name
from tools.cluster.rest import restarts
from tools.cluster.topics import HISTORY_SUBSCRIPTION, HISTORY_TOPIC
from tools.monitor.model import Frame, Function, Subscription, Topic
from tools.monitor.source import Expected, Observation, Response


def frame(observation: Observation, desired: Expected, before: Observation | None = None) -> Frame:
    """The rows of an observation.

    `before`: an earlier one, since which rates and restarts are counted; without it rates are the broker's averages
    of the last minute, and no restarts are known.
    """
    topics = [_topic(name, observation, desired, before) for name in observation.topics]
    functions = tuple(_function(name, observation, desired, before) for name in observation.functions)
    dead_letters = tuple(topic for topic in topics if is_dead_letter_topic(topic.name))
    regular_topics = tuple(topic for topic in topics if topic not in dead_letters)
    return Frame(observation.timestamp, regular_topics, dead_letters, functions, observation.worker_error)


def _topic(name: str, observation: Observation, desired: Expected, before: Observation | None) -> Topic:
    raw, expected = observation.topics[name], name in desired.subscriptions
    if not isinstance(raw, dict):
        return Topic(name, (), expected, exists=raw is not None, unreadable=raw or "")
    existing: Mapping[str, Any] = raw.get("subscriptions", {})
    names = dict.fromkeys((*desired.subscriptions.get(name, ()), *sorted(existing)))
    previous = _answer_or_empty(before.topics.get(name) if before else None)
    seconds = observation.timestamp - before.timestamp if before else 0.0
    return Topic(
        name,
        tuple(
            _subscription(name, subscription_name, existing.get(subscription_name), observation.timestamp, desired)
            for subscription_name in names
        ),
        expected,
        exists=True,
        rate_in=_rate(raw, previous, "msgInCounter", "msgRateIn", seconds),
        rate_out=_rate(raw, previous, "msgOutCounter", "msgRateOut", seconds),
        messages=raw.get("msgInCounter", 0),
        stored_bytes=raw.get("storageSize", 0),
    )


def _subscription(topic: str, name: str, raw: Any, now: float, desired: Expected) -> Subscription:
    function = desired.readers.get((topic, name))
    if raw is None:
        return Subscription(topic, name, function)
    backlog = raw.get("msgBacklog", 0)
    oldest = _in_seconds(raw.get("earliestMsgPublishTimeInBacklog"))
    # the history of deployments is kept in a subscription's backlog: nobody is late with it
    is_history = (topic, name) == (short_name(HISTORY_TOPIC), HISTORY_SUBSCRIPTION)
    age = None
    if oldest and backlog and not is_history:
        age = _age(now - oldest, desired.delays.get(topic, 0.0))
    return Subscription(
        topic,
        name,
        function,
        exists=True,
        durable=raw.get("isDurable", raw.get("durable", True)),
        backlog=backlog,
        delayed=raw.get("msgDelayed", 0),
        age=age,
        unacked=raw.get("unackedMessages", 0),
        redelivery_rate=raw.get("msgRateRedeliver", 0.0),
        consumers=len(raw.get("consumers", ())),
        last_acked=_in_seconds(raw.get("lastAckedTimestamp")),
        last_consumed=_in_seconds(raw.get("lastConsumedTimestamp")),
    )


def _age(waiting: float, delay: float) -> float | None:
    """For how many seconds a message has been due that was published `waiting` seconds ago, to be delivered `delay`
    seconds later; None if it is not due yet. A sender's clock may be ahead of ours: without a delay it is at least 0.
    """
    return None if delay and waiting < delay else max(0.0, waiting - delay)


def _function(name: str, observation: Observation, desired: Expected, before: Observation | None) -> Function:
    raw, expected = observation.functions[name], name in desired.instances
    instances = desired.instances.get(name, 0)
    if not isinstance(raw, dict):
        return Function(name, expected, instances, exists=raw is not None, unreadable=raw or "")
    statuses = [instance["status"] for instance in raw.get("instances", ())]
    counts = dict(restarts(raw))
    previous = _answer_or_empty(before.functions.get(name) if before else None)
    return Function(
        name,
        expected,
        max(instances, raw.get("numInstances", 0)),
        exists=True,
        running=raw.get("numRunning", 0),
        restarts=sum(counts.values()),
        new_restarts=sum(max(0, counts[i] - number) for i, number in restarts(previous) if i in counts),
        processed=_sum(statuses, "numSuccessfullyProcessed"),
        exceptions=_sum(statuses, "numUserExceptions") + _sum(statuses, "numSystemExceptions"),
        last_error=_last_error(statuses),
        last_invocation=_in_seconds(max((status.get("lastInvocationTime") or 0 for status in statuses), default=0)),
    )


def _answer_or_empty(response: Response) -> Mapping[str, Any]:
    return response if isinstance(response, dict) else {}


def _rate(now: Mapping[str, Any], before: Mapping[str, Any], counter: str, rate: str, seconds: float) -> float:
    """Messages a second: by how much a counter grew in `seconds`; the broker's own rate if that can't be told.

    A counter that is smaller than before began anew, when the broker loaded its topic again.
    """
    added = now.get(counter, 0) - before.get(counter, 0)
    return added / seconds if before and seconds > 0 and added >= 0 else float(now.get(rate, 0.0))


def _sum(statuses: list[Mapping[str, Any]], field: str) -> int:
    return sum(int(status.get(field) or 0) for status in statuses)


def _last_error(statuses: list[Mapping[str, Any]]) -> str:
    """The last line of why an instance does not run, if one does not; else of the newest exception; else empty."""
    fields = ("latestUserExceptions", "latestSystemExceptions")
    exceptions = [exception for status in statuses for field in fields for exception in status.get(field) or ()]
    exceptions.sort(key=lambda exception: exception.get("timestampMs") or 0)
    texts = [exception.get("exceptionString") or "" for exception in exceptions]
    texts += [status.get("error") or "" for status in statuses if not status.get("running")]
    return next((text.strip().splitlines()[-1] for text in reversed(texts) if text.strip()), "")


def _in_seconds(ms: Any) -> float | None:
    """A time of the admin API's, which has 0 or -1 for never."""
    return ms / 1000 if ms and ms > 0 else None
