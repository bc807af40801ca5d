"""The whole shop in memory: an event loop over virtual time, in one thread; only the seed decides what happens."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Final

from deployment.databases.names import DATABASES
from functions.messages.outgoing import Outgoing
from tests.simulation.broker import QUARANTINE, Broker, Stored, Subscription
from tests.simulation.clock import MINUTE, SECOND, Clock
from tests.simulation.database import Database
from tests.simulation.instance import Instance
from tests.simulation.steps import Death
from tests.support import engines
from tests.support.world import FUNCTIONS

PREFIX: Final = "persistent://monoliticas/"


@dataclass(eq=False)
class Worker:
    """What runs a function: its instances, and what the world does to it. `poll_at`: when it is looked after next."""

    name: str
    hosts: tuple[str, str]
    subscription: Subscription
    instances: list[Instance] = field(default_factory=list)
    poll_at: int | None = None
    acks_to_lose: int = 0
    shuffled: int = 0


class Shop:
    """Databases, broker and functions, on hosts whose clocks are ahead by `offsets`, in ns. `batches`: how many each
    function was at work on. `config`: settings of all
    functions, in place of those of their configurations.
    """

    def __init__(self, seed: int, offsets: dict[str, int], config: dict[str, Any]) -> None:
        self.config = config
        self.rng = random.Random(seed)
        self.clock = Clock(dict(offsets))
        self.databases = {name: Database(name, self.clock) for name in DATABASES}
        self.away: Counter[str] = Counter()
        self.batches: Counter[str] = Counter()
        self._agenda: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._entries = 0
        self.workers = {
            name: Worker(name, (f"functions-{index % 2}", f"functions-{1 - index % 2}"), Subscription(name))
            for index, name in enumerate(FUNCTIONS)
        }
        self.broker = Broker(self.clock, self._topics(), self._announce)
        for worker in self.workers.values():
            worker.instances.append(self.create_instance(worker, worker.hosts[0]))

    def run(self, until: int) -> None:
        """Until nothing happens any more, or that true time, ns."""
        while self._agenda and self._agenda[0][0] <= until:
            self.clock.now, _, action, arguments = heappop(self._agenda)
            action(*arguments)

    def at(self, time: int, action: Callable[..., None], *arguments: Any) -> None:
        """Has something done at a true time, ns."""
        self._entries += 1
        heappush(self._agenda, (time, self._entries, action, arguments))

    def after(self, shortest: float, longest: float, action: Callable[..., None], *arguments: Any) -> None:
        """Has something done so many seconds from now."""
        self.at(self.clock.now + round(self.rng.uniform(shortest, longest) * SECOND), action, *arguments)

    def create_instance(self, worker: Worker, host: str) -> Instance:
        database = engines.configuration(worker.name)["userConfig"]["DB_NAME"]
        return Instance(worker.name, host, self.broker, self.databases[database], worker.subscription, self.config)

    def is_away(self, target: str) -> bool:
        """True while nobody reaches a database, the broker or a function."""
        return self.away[target] > 0

    def wake(self, worker: Worker, time: int) -> None:
        """Has a function look for messages at that time, or earlier."""
        if worker.poll_at is None or time < worker.poll_at:
            worker.poll_at = time
            self.at(time, self._poll, worker, time)

    def wake_all(self) -> None:
        """As when the broker comes back: everybody looks, and whoever waits for the infrastructure tries again."""
        for worker in self.workers.values():
            self.wake(worker, self.clock.now + self.rng.randrange(5 * SECOND))
            for instance in worker.instances:
                if instance.holding:
                    self.after(0, 5, self._retry, worker, instance, instance.holding)

    def _announce(self, subscription: Subscription, due: int) -> None:
        if worker := self.workers.get(subscription.name):
            time = max(self.clock.now, self.clock.when("broker", due * 1_000_000))
            if worker.poll_at is None or time < worker.poll_at - 50_000_000:
                self.wake(worker, time + self.rng.randrange(50_000_000))

    def _poll(self, worker: Worker, time: int) -> None:
        if worker.poll_at != time:
            return  # it was looked after earlier
        worker.poll_at = None
        if self.is_away("broker") or self.is_away(worker.name):
            return  # whoever comes back looks
        for instance in list(worker.instances):
            if instance.holding or instance.free_at > self.clock.now:
                continue
            if not (batch := self._take(worker, instance)):
                break
            self._work(worker, instance, batch)
        if free := [instance.free_at for instance in worker.instances if not instance.holding]:
            earliest = max(min(free), self.clock.now + 1_000_000)
            subscription = worker.subscription
            if subscription.ready:
                self.wake(worker, earliest)
            elif subscription.delayed:
                due = self.clock.when("broker", subscription.delayed[0][0] * 1_000_000)
                self.wake(worker, max(due, earliest))

    def _take(self, worker: Worker, instance: Instance) -> list[Stored]:
        most = instance.function.batch_size
        if self.rng.random() < 0.1:
            most = self.rng.randint(1, most)
        if worker.shuffled and worker.subscription.ready:
            shuffled = list(worker.subscription.ready)
            self.rng.shuffle(shuffled)
            worker.subscription.ready.clear()
            worker.subscription.ready.extend(shuffled)
        return worker.subscription.take(most, self.broker.now())

    def _work(self, worker: Worker, instance: Instance, batch: list[Stored]) -> None:
        """A batch; what is left of it comes again after a death, after lost acknowledgements, or when the
        infrastructure is back.
        """
        self.batches[worker.name] += 1
        context = instance.context
        context.acks_are_lost = worker.acks_to_lose > 0
        worker.acks_to_lose = max(0, worker.acks_to_lose - 1)
        try:
            is_done = instance.work(batch)
        except Death:
            self.kill(worker, instance, batch)
            return
        instance.free_at = self.clock.now + self.rng.randrange(5_000_000, 40_000_000)
        if not is_done:
            if not (instance.database.is_away or self.is_away("broker")):
                self.after(0.05, 5, self._retry, worker, instance, batch)
        elif context.acks_are_lost:
            self.after(1, 600, self.redeliver, worker, batch)

    def _retry(self, worker: Worker, instance: Instance, batch: list[Stored]) -> None:
        if instance in worker.instances and instance.holding is batch and not self.is_away(worker.name):
            instance.holding = []
            self._work(worker, instance, [one for one in batch if one.number in worker.subscription.unacknowledged])
            self.wake(worker, self.clock.now + SECOND)

    def kill(self, worker: Worker, instance: Instance, batch: list[Stored]) -> None:
        """The instance is gone; another one begins within a minute with what it has not acknowledged."""
        instance.start()
        instance.free_at = self.clock.now + self.rng.randrange(SECOND, MINUTE)
        self.redeliver(worker, batch)

    def redeliver(self, worker: Worker, batch: list[Stored]) -> None:
        worker.subscription.redeliver(batch)
        self.wake(worker, self.clock.now + SECOND)

    def publish(self, message: Outgoing) -> None:
        """What is none of the functions publishes, such as customers and operators."""
        self.broker.store(message.topic, message.raw, dict(message.properties), message.key)

    def _topics(self) -> dict[str, list[Subscription]]:
        topics: dict[str, list[Subscription]] = {}
        for name, worker in self.workers.items():
            configuration = engines.configuration(name)
            for topic in configuration["inputSpecs"]:
                topics.setdefault(topic.removeprefix(PREFIX), []).append(worker.subscription)
            topics[f"{configuration['namespace']}/{name}-dlq"] = [Subscription(QUARANTINE)]
        return topics
