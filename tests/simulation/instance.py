"""An instance of a function: the real function and the real engine, a batch at a time, on boundaries in memory."""

import atexit
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

from functions.engine import engine
from functions.engine.retry import Stopped
from functions.messages.codec import MAX_BYTES
from functions.pulsar_io.schema import AvroSchema, Received
from tests.simulation.broker import Broker, Stored, Subscription
from tests.simulation.client import Client
from tests.simulation.database import Database, Session
from tests.simulation.steps import Death, Steps
from tests.support import engines
from tests.support.fake_pulsar import FakeContext

SESSION: Final = "SESSION"
"""The key of a function's userConfig under which the engine finds its database."""


class _Context(FakeContext):
    """What the engine is given of Pulsar. `acks_are_lost`: the broker does not get them."""

    steps: Steps
    subscription: Subscription
    acks_are_lost = False

    def record_metric(self, name: str, value: float) -> None:
        """Nobody looks at them."""

    def ack(self, message: Any, topic: str) -> None:
        try:
            self.steps.cross(_AckLost)
        except _AckLost:
            self.acks_are_lost = True  # and all that follow on this connection
        if not self.acks_are_lost:
            self.subscription.acknowledge(message)


class _AckLost(Exception):
    """An acknowledgement does not reach the broker; the client does not notice."""


class _Stopping:
    """In place of the engine's event: whoever would wait for the infrastructure gives up, and tries again later."""

    def wait(self, _timeout: float | None = None) -> bool:
        return True

    def is_set(self) -> bool:
        return False

    def set(self) -> None:
        """Never stops."""


@contextmanager
def without_threads() -> Iterator[None]:
    """Within it engines are made without a thread, on the database that their configuration holds."""
    no_thread = SimpleNamespace(start=lambda: None, join=lambda _: None)
    fakes: dict[str, Any] = {
        "threading": SimpleNamespace(Thread=lambda **_: no_thread, Event=_Stopping, Semaphore=threading.Semaphore),
        "connection": SimpleNamespace(connect=lambda config, *_: config[SESSION]),
        "atexit": SimpleNamespace(register=lambda _: None, unregister=atexit.unregister),
        "gc": SimpleNamespace(freeze=lambda: None),
    }
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with patch.multiple(engine, **fakes):
            yield
    finally:
        logging.disable(before)


class Instance:
    """`host`: whose clock it reads. `config`: settings in place of those of its configuration. `holding`: the batch
    that it is at work on while the infrastructure is away.
    """

    def __init__(
        self,
        name: str,
        host: str,
        broker: Broker,
        database: Database,
        subscription: Subscription,
        config: Mapping[str, Any],
    ) -> None:
        self.name, self.host = name, host
        self._config = config
        self.broker, self.database, self.subscription = broker, database, subscription
        self.holding: list[Stored] = []
        self.steps = Steps()
        self.free_at = 0
        self.start()

    def start(self) -> None:
        """A new process: nothing of the one before is left."""
        self.holding = []
        self.steps = Steps()
        self.client = Client(self.broker, self.steps)
        configuration = engines.configuration(self.name)
        user_config = configuration["userConfig"] | self._config | {SESSION: Session(self.database, self.steps)}
        self.context = _Context(configuration["namespace"], self.name, user_config, "", self.client)  # type: ignore[arg-type]
        self.context.steps, self.context.subscription = self.steps, self.subscription
        self.function = engines.function(self.name)
        self._engine = engine.Engine(self.function, self.context)

    def work(self, batch: list[Stored]) -> bool:
        """Takes a batch to its end. False if the infrastructure was away: then it holds the batch. Raises Death."""
        self.broker.clock.host = self.host
        try:
            self._engine._process_batch([_received(message) for message in batch])
        except Stopped:
            self.holding = batch
            return False
        self.holding = []
        return True


class _Received(Received):
    """Decodes the bytes of a message once, for all that receive it."""

    __slots__ = ()

    def message(self, with_trace: bool = True) -> Any:
        stored: Stored = self.raw
        if stored.decoded is None:
            stored.decoded = super().message(with_trace)
        return stored.decoded


def _received(message: Stored) -> Received:
    return _Received(message, _schema(message.topic), len(message.raw) > MAX_BYTES)


@cache
def _schema(topic: str) -> AvroSchema:
    return AvroSchema(None, {"topic": topic})


__all__ = ["Death", "Instance", "without_threads"]
