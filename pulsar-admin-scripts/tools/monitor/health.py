"""What is not as it should be: pure rules over the rows of one observation.

Unhealthy is:
  - a topic, a subscription or a function that this repository has and the cluster has not
  - a function with fewer running instances than configured, or one that restarted within the live view's last 10 s
    (--once and --json read the cluster once, and see no restart)
  - a subscription of a function without a consumer
  - a durable subscription whose oldest unacknowledged message has been due for longer than --max-age seconds, by this
    machine's clock. Messages for later are due when the longest time is over that userConfig DEMORAS in
    deployment/functions says
  - a dead letter that waits (dlq.py list)
  - what can't be read, a functions worker that does not answer included
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from tools.cluster.topics import DEAD_LETTER_SUBSCRIPTION
from tools.monitor.model import Frame, Function, Subscription, Topic

MAX_AGE: Final = 60.0
"""Seconds that the oldest unacknowledged message may have been due for, unless --max-age says otherwise."""
Resource = Literal["cluster", "topic", "subscription", "function", "dead letters"]


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is not as it should be.

    `resource`: what kind of thing it is. `subject`: which one. `status`: what is wrong, in a word or two. `text`: the
    same as a sentence that needs nothing else around it.
    """

    resource: Resource
    subject: str
    status: str
    text: str


def complaints(frame: Frame, max_age: float = MAX_AGE) -> list[Complaint]:
    """Everything that is unhealthy; empty if the cluster is healthy. `max_age` in s."""
    found: list[Complaint] = []
    if frame.worker_error:
        text = f"no functions worker (PULSAR_FUNCTIONS_URL): {frame.worker_error}"
        found.append(Complaint("cluster", "functions", "away", text))
    else:
        for function in frame.functions:
            found += _function_complaints(function)
    for topic in frame.topics:
        found += _topic_complaints("topic", topic)
        for subscription in topic.subscriptions:
            found += _subscription_complaints(subscription, max_age)
    for dead_letters in frame.dead_letters:
        found += _dead_letter_complaints(dead_letters)
    return found


def key(subscription: Subscription) -> str:
    """What names a subscription: its topic and its own name."""
    return f"{subscription.topic} {subscription.name}"


def _function_complaints(one: Function) -> Iterator[Complaint]:
    def complaint(status: str, text: str) -> Complaint:
        return Complaint("function", one.name, status, f"function {one.name} {text}")

    if not one.exists:
        yield complaint("missing", "is missing: run deploy.py")
    elif one.unreadable:
        yield complaint("unreadable", f"can't be looked at: {one.unreadable}")
    else:
        if one.running < one.instances:
            reason = f"runs {one.running} of {one.instances} instances"
            yield complaint("not running", f"{reason}: {one.last_error}" if one.last_error else reason)
        if one.new_restarts:
            yield complaint("restarting", f"restarted {one.new_restarts} times since the look before")


def _topic_complaints(resource: Resource, topic: Topic) -> Iterator[Complaint]:
    if not topic.exists:
        yield Complaint(resource, topic.name, "missing", f"topic {topic.name} is missing: run provision.py")
    elif topic.unreadable:
        yield Complaint(
            resource, topic.name, "unreadable", f"topic {topic.name} can't be looked at: {topic.unreadable}"
        )


def _subscription_complaints(one: Subscription, max_age: float) -> Iterator[Complaint]:
    def complaint(status: str, text: str) -> Complaint:
        return Complaint("subscription", key(one), status, f"subscription {one.name} of {one.topic} {text}")

    if not one.exists:
        yield complaint("missing", "is missing: run provision.py")
    elif one.durable:
        if one.function and not one.consumers:
            yield complaint("no consumer", "has no consumer")
        if one.age is not None and one.age > max_age:
            yield complaint("late", f"is late: its oldest message has been due for {one.age:.0f} s")


def _dead_letter_complaints(topic: Topic) -> Iterator[Complaint]:
    yield from _topic_complaints("dead letters", topic)
    for one in topic.subscriptions:
        if one.name == DEAD_LETTER_SUBSCRIPTION and not one.exists:
            text = f"subscription {one.name} of {one.topic} is missing: run provision.py"
            yield Complaint("dead letters", topic.name, "missing", text)
        elif one.name == DEAD_LETTER_SUBSCRIPTION and one.backlog:
            count = "1 dead letter" if one.backlog == 1 else f"{one.backlog} dead letters"
            yield Complaint("dead letters", topic.name, "letters", f"{count} in {topic.name}: see dlq.py list")
