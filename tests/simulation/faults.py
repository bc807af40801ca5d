"""What happens to the shop: each event of a story, done to it."""

from collections.abc import Callable
from typing import Final

from functions.messages.outgoing import Outgoing
from functions.messages.payloads import ComandoSuspenderPlazos
from tests.simulation.broker import PREFIX, QUARANTINE
from tests.simulation.customers import Customers
from tests.simulation.shop import Shop
from tests.simulation.steps import DEATH, FAILURE
from tests.simulation.story import Event

GARBAGE: Final = b"garbage"


def schedule(shop: Shop, customers: Customers, event: Event) -> None:
    """Has an event happen, counted from now."""
    shop.at(shop.clock.now + event.at, _HAPPENINGS[event.what], shop, customers, event)


def _outage(shop: Shop, _: Customers, event: Event) -> None:
    shop.away[event.target] += 1
    _apply(shop, event.target)
    shop.at(shop.clock.now + event.length, _end_outage, shop, event.target)


def _end_outage(shop: Shop, target: str) -> None:
    shop.away[target] -= 1
    if not shop.away[target]:
        _apply(shop, target)
        shop.wake_all()


def _apply(shop: Shop, target: str) -> None:
    """Database, broker or function is away from now on, or is back."""
    is_away = shop.is_away(target)
    if target in shop.databases:
        shop.databases[target].is_away = is_away
    elif target == "broker":
        shop.broker.is_away = is_away
        if not is_away:
            for worker in shop.workers.values():
                worker.subscription.redeliver_all()
    elif is_away:
        _restart(shop, target)


def _restart(shop: Shop, function: str) -> None:
    worker = shop.workers[function]
    for instance in worker.instances:
        shop.kill(worker, instance, instance.holding)


def _skip(shop: Shop, function: str) -> None:
    """An operator clears the backlog; not of what is half done, which would lose what it leads to."""
    worker = shop.workers[function]
    database = worker.instances[0].database
    subscription = worker.subscription
    held = {message.number for instance in worker.instances for message in instance.holding}
    if not database.is_away and not held:
        done = {id_ for name, id_ in database.tables["recibos"].rows if name == function}
        half_done = [one for one in subscription.unacknowledged.values() if _id_of(one.raw) in done]
        subscription.skip_all()
        subscription.unacknowledged.update((one.number, one) for one in half_done)
        shop.redeliver(worker, half_done)


def _id_of(raw: bytes) -> str:
    """The id with which every envelope begins: a length of one byte, then the text."""
    return raw[1:37].decode("ascii", "replace")


def _second_instance(shop: Shop, event: Event) -> None:
    worker = shop.workers[event.target]
    instance = shop.create_instance(worker, worker.hosts[1])
    worker.instances.append(instance)

    def end() -> None:
        worker.instances.remove(instance)
        shop.redeliver(worker, instance.holding)

    shop.at(shop.clock.now + event.length, end)


def _shuffle(shop: Shop, event: Event) -> None:
    worker = shop.workers[event.target]
    worker.shuffled += 1

    def end() -> None:
        worker.shuffled -= 1

    shop.at(shop.clock.now + event.length, end)


def _empty_quarantine(shop: Shop, redrive: bool) -> None:
    """An operator has all dead letters published again, or discarded."""
    if shop.is_away("broker"):
        return
    for message in shop.broker.dead_letters():
        if redrive:
            topic = message.message_properties["dlq-topic"].removeprefix(PREFIX)
            shop.publish(Outgoing(topic, message.key, message.raw))
    for subscriptions in shop.broker.subscriptions.values():
        for subscription in subscriptions:
            if subscription.name == QUARANTINE:
                subscription.skip_all()


def _add_acks_to_lose(shop: Shop, event: Event) -> None:
    shop.workers[event.target].acks_to_lose += event.count


def _add_unconfirmed(shop: Shop, event: Event) -> None:
    shop.workers[event.target].instances[0].client.unconfirmed += event.count


def _add_twice(shop: Shop, event: Event) -> None:
    shop.workers[event.target].instances[0].client.twice += event.count


def _plan_step(shop: Shop, event: Event) -> None:
    shop.workers[event.target].instances[0].steps.plan(event.what, event.count)


def _garbage(shop: Shop, event: Event) -> None:
    if not shop.is_away("broker"):
        shop.publish(Outgoing(event.target, "", GARBAGE))


def _suspend(shop: Shop, customers: Customers, event: Event) -> None:
    def say(suspendidos: bool) -> None:
        if shop.is_away("broker"):
            shop.after(60, 120, say, suspendidos)
        else:
            customers.send(ComandoSuspenderPlazos(suspendidos, "Eva", "outage"))

    say(True)
    shop.at(shop.clock.now + event.length, say, False)


def _jump(shop: Shop, event: Event) -> None:
    shop.clock.offsets[event.target] = shop.clock.offsets.get(event.target, 0) + event.length
    shop.wake_all()


_HAPPENINGS: Final[dict[str, Callable[[Shop, Customers, Event], None]]] = {
    "outage": _outage,
    DEATH: lambda shop, _, event: _plan_step(shop, event),
    FAILURE: lambda shop, _, event: _plan_step(shop, event),
    "lost acks": lambda shop, _, event: _add_acks_to_lose(shop, event),
    "unconfirmed": lambda shop, _, event: _add_unconfirmed(shop, event),
    "stored twice": lambda shop, _, event: _add_twice(shop, event),
    "shuffle": lambda shop, _, event: _shuffle(shop, event),
    "second instance": lambda shop, _, event: _second_instance(shop, event),
    "restart": lambda shop, _, event: _restart(shop, event.target),
    "skip": lambda shop, _, event: _skip(shop, event.target),
    "garbage": lambda shop, _, event: _garbage(shop, event),
    "redrive": lambda shop, _, __: _empty_quarantine(shop, True),
    "discard": lambda shop, _, __: _empty_quarantine(shop, False),
    "suspension": _suspend,
    "clock": lambda shop, _, event: _jump(shop, event),
    "deletion": lambda _, customers, __: customers.delete(),
}
