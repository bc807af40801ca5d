"""All functions on a real PostgreSQL and a broker in memory, a step at a time, with a death wherever a test wants one.

The broker does what Pulsar does for functions with guarantee MANUAL: every subscription gets each message of its
topics; what is not acknowledged is delivered again, to whoever is there, in any order; what a client can't decode
is not its business. A dead instance forgets everything, and another one begins with what is not acknowledged.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

import sqlalchemy as sa
from tools.cluster.repository import function_configs

from functions.engine.engine import Engine
from functions.messages.payloads import Payload
from functions.postgres import clock
from functions.pulsar_io.schema import Received
from tests.support import engines
from tests.support.fake_pulsar import PREFIX, FakeClient, raw, received
from tests.support.granted import Connection
from tests.support.platform import ROOT, Platform

FUNCTIONS: Final = tuple(function_configs())
ENGINE_ROOMS: Final = tuple(str(ROOT / "functions" / room) for room in ("engine", "postgres", "pulsar_io"))
"""Where an instance may die: at every line of these folders."""
TIMEOUT: Final = "ordenes/comando-verificar-orden"


class Death(BaseException):
    """The process ends here: what it held in memory is gone, its transaction is undone."""


class Broker(FakeClient):
    """`queues` holds, for each function, the messages that it has not acknowledged; `due` when each message is to be
    delivered that is not to be at once, in ms since 1970-01-01 UTC.
    """

    def __init__(self) -> None:
        super().__init__()
        self.due: dict[object, int] = {}
        self.queues: dict[str, dict[object, Received]] = {name: {} for name in FUNCTIONS}
        self.acks_lost = False

    def save(self, topic: str, content: bytes, properties: dict[str, str], deliver_at: int | None = None) -> None:
        super().save(topic, content, properties, deliver_at)
        for name in FUNCTIONS:
            if PREFIX + topic in engines.configuration(name)["inputSpecs"]:
                message = raw(topic, content, **properties)
                self.queues[name][message.raw.message_id()] = message
                if deliver_at is not None:
                    self.due[message.raw.message_id()] = deliver_at

    def acknowledge(self, name: str, id_mensaje: object) -> None:
        super().acknowledge(name, id_mensaje)
        if not self.acks_lost:
            self.queues[name].pop(id_mensaje, None)

    def clear(self) -> None:
        self.published.clear()
        self.due.clear()
        self.acks_lost = False
        for queue in self.queues.values():
            queue.clear()

    def send(self, *data: Payload) -> None:
        for one in data:
            self.save(one.topic, received(one).raw.data(), {})


class World:
    """Every function, one instance each, made when first needed. Nobody waits for what is to come later: the databases'
    clock jumps to where it is due, and never back.
    """

    def __init__(self, databases: Platform) -> None:
        self.broker = Broker()
        self._databases = databases
        self._engines: dict[str, Engine] = {}
        self._settings: dict[str, dict[str, Any]] = {}
        self._ahead_ms = 0.0
        self._real = clock._elapsed_ms, clock.start
        clock._elapsed_ms = lambda: self._real[0]() + self._ahead_ms
        clock.start = self._start_clock

    def pending(self, name: str) -> list[Received]:
        return list(self.broker.queues[name].values())

    def deliver(self, name: str, batch: Sequence[Received], dies_at: int = 0) -> bool:
        """One batch; the instance dies at that line of the engine, from 1. False if it came to its end before."""
        now_ms = time.time() * 1000 + self._ahead_ms
        self._ahead_ms += max(0.0, *(self._due(message) - now_ms for message in batch))
        engine = self._engines.get(name) or self._create_engine(name)
        if not dies_at:
            engine._process_batch(batch)
            return False
        try:
            with _death_at(dies_at):
                engine._process_batch(batch)
        except Death:
            self._replace_engine(name)
            return True
        return False

    def is_half_done(self, name: str, message: Received) -> bool:
        """True if its effects are stored and perhaps not published: whoever loses it now loses what it leads to."""
        database = engines.configuration(name)["userConfig"]["DB_NAME"]
        receipt = "select 1 from recibos where funcion = :funcion and id_mensaje = :id"
        return bool(self._databases.sql(database, receipt, funcion=name, id=message.message().id))

    def run(self, without: Sequence[str] = ()) -> None:
        """Until no function but those `without` has anything left. What is to come later comes once nothing else is
        left, in the order of its times.
        """
        active = [name for name in FUNCTIONS if name not in without]
        while pending := {name: messages for name in active if (messages := self.pending(name))}:
            now_ms = time.time() * 1000 + self._ahead_ms
            due = {n: [m for m in messages if self._due(m) <= now_ms] for n, messages in pending.items()}
            if not any(due.values()):
                first = min((m for messages in pending.values() for m in messages), key=self._due)
                due = {n: [first] for n, messages in pending.items() if first in messages}
            for name, messages in due.items():
                if messages:
                    self.deliver(name, messages[:500])

    def _start_clock(self, connection: Any, record: Any) -> None:
        """A new connection hears the real time of its server, which is behind."""
        self._real[1](connection, record)
        record.info[clock._OFFSET] += self._ahead_ms

    def _due(self, message: Received) -> int:
        return self.broker.due.get(message.raw.message_id(), 0)

    def clear(self) -> None:
        """As on the first day; the instances stay."""
        for name in self._settings:
            self.configure(name)
        self.broker.clear()
        self._databases.clear()

    def configure(self, name: str, **settings: Any) -> None:
        """Has a function deployed with these settings in its userConfig, until all is cleared."""
        self._settings[name] = settings
        if name in self._engines:
            self._set(name)

    def _set(self, name: str) -> None:
        self._engines[name]._function.config = engines.configuration(name)["userConfig"] | self._settings.get(name, {})

    def close(self) -> None:
        clock._elapsed_ms, clock.start = self._real
        while self._engines:
            self._engines.popitem()[1].stop()

    def _create_engine(self, name: str) -> Engine:
        connection = Connection(self.broker, name)
        self._engines[name] = Engine(engines.function(name), engines.context(self._databases, name, connection))
        self._set(name)
        return self._engines[name]

    def _replace_engine(self, name: str) -> None:
        """Another instance. It takes over the connection, whose transaction is undone: a new one takes 50 ms."""
        dead = self._engines.pop(name)
        database, dead._database = dead._database, sa.create_engine("sqlite://")
        dead.stop()
        self._create_engine(name)._database = database


@contextmanager
def _death_at(line: int) -> Iterator[None]:
    """Raises Death at the given one of the engine's lines: what it calls in between is all before the commit."""
    remaining = [line]

    def trace_line(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            remaining[0] -= 1
            if remaining[0] == 0:
                raise Death(f"{frame.f_code.co_filename}:{frame.f_lineno}")
        return trace_line

    def trace_call(frame: FrameType, _: str, __: Any) -> Any:
        return trace_line if frame.f_code.co_filename.startswith(ENGINE_ROOMS) else None

    previous = sys.gettrace()
    sys.settrace(trace_call)
    try:
        yield
    finally:
        sys.settrace(previous)
