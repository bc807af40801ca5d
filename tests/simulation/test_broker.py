"""What the broker does with messages: that of the simulator, and that of tests/support/world.py, the same."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pulsar
import pytest

from functions.messages.ids import new
from functions.messages.outgoing import Outgoing, to_outgoing
from functions.pulsar_io.errors import NotPublished
from functions.pulsar_io.publisher import Publisher
from tests.simulation.broker import PREFIX, Broker, Subscription
from tests.simulation.client import Client
from tests.simulation.clock import MINUTE, SECOND, Clock
from tests.simulation.steps import FAILURE, Steps
from tests.support import world
from tests.support.data import make_orden
from tests.support.engines import configuration

READERS = ("crear-orden", "registrar-saga")
"""The functions that read what the tests publish."""


@dataclass
class Contract:
    """How the tests ask a broker: the client, what waits for a function, an acknowledgement, a failure to come."""

    client: Any
    pending: Callable[[str], list[bytes]]
    acknowledge_first: Callable[[str], None]
    fail_next: Callable[[], None]


def _simulated() -> Contract:
    steps, topics = Steps(), dict[str, list[Subscription]]()
    subscriptions = {name: Subscription(name) for name in READERS}
    for name in READERS:
        for topic in configuration(name)["inputSpecs"]:
            topics.setdefault(topic.removeprefix(PREFIX), []).append(subscriptions[name])
    broker = Broker(Clock({}), topics, lambda *_: None)

    def take(name: str) -> list[Any]:
        taken = subscriptions[name].take(100, broker.now())
        subscriptions[name].redeliver(taken)
        return taken

    return Contract(
        Client(broker, steps),
        lambda name: [message.raw for message in take(name)],
        lambda name: subscriptions[name].acknowledge(take(name)[0]),
        lambda: steps.plan(FAILURE, 1),
    )


def _world() -> Contract:
    broker = world.Broker()

    def fail_once() -> None:
        broker.before_send = lambda: None
        raise pulsar.Timeout

    def fail_next() -> None:
        broker.before_send = fail_once

    return Contract(
        broker,
        lambda name: [received.raw.data() for received in broker.queues[name].values()],
        lambda name: broker.acknowledge(name, next(iter(broker.queues[name]))),
        fail_next,
    )


@pytest.fixture(params=[_simulated, _world], ids=["simulated", "world"])
def broker(request: pytest.FixtureRequest) -> Contract:
    contract: Contract = request.param()
    return contract


def message() -> Outgoing:
    return to_outgoing(new(), 1_000, "pruebas", make_orden())


def test_each_function_gets_each_message_until_it_acknowledges_it(broker: Contract) -> None:
    messages = [message(), message()]
    Publisher(broker.client).publish(messages)
    broker.acknowledge_first("crear-orden")
    assert broker.pending("crear-orden") == [messages[1].raw]
    assert broker.pending("crear-orden") == [messages[1].raw], "what is not acknowledged comes again"
    assert broker.pending("registrar-saga") == [one.raw for one in messages]


def test_what_is_not_confirmed_is_an_error_and_may_be_sent_again(broker: Contract) -> None:
    publisher, lost = Publisher(broker.client), message()
    broker.fail_next()
    with pytest.raises(NotPublished):
        publisher.publish([lost])
    assert broker.pending("crear-orden") == []
    publisher.publish([lost])
    assert broker.pending("crear-orden") == [lost.raw]


def test_delayed_messages_come_when_the_brokers_clock_says_so() -> None:
    """Not that of whoever sent it."""
    clock = Clock({"broker": 3 * MINUTE, "functions-0": -3 * MINUTE})
    subscription = Subscription("verificar-orden")
    announced: list[int] = []
    broker = Broker(clock, {"t": [subscription]}, lambda _, due: announced.append(due))
    clock.host = "functions-0"
    due = (clock.now + 10 * MINUTE) // 1_000_000
    broker.store("t", b"later", {}, "", due)
    assert announced == [due]
    clock.now += 7 * MINUTE - SECOND
    assert subscription.take(10, broker.now()) == []
    clock.now += SECOND
    assert [one.raw for one in subscription.take(10, broker.now())] == [b"later"]


def test_consumers_that_connect_again_get_what_was_handed_out_and_nothing_early() -> None:
    clock = Clock({})
    subscription = Subscription("crear-orden")
    broker = Broker(clock, {"t": [subscription]}, lambda *_: None)
    for raw in (b"first", b"second"):
        broker.store("t", raw, {}, "")
    broker.store("t", b"later", {}, "", broker.now() + 1000)
    first, _ = subscription.take(10, broker.now())
    subscription.acknowledge(first)
    subscription.redeliver_all()
    assert [one.raw for one in subscription.take(10, broker.now())] == [b"second"]
