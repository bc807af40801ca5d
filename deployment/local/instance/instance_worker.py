"""Messages → `process`, one at a time on one thread → acknowledged, sent on, or negatively acknowledged."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from queue import Queue
from typing import Any

import pulsar

from instance_context import Context
from instance_output import Output
from instance_publish import publish_failure
from instance_stats import Stats
from instance_stubs import Function_pb2

LOG = logging.getLogger()


@dataclass(frozen=True, slots=True)
class Item:
    """A message on its way from the listener to the processing thread."""

    message: Any
    consumer: Any
    decode: Callable[[Any], Any]


@dataclass
class Worker:
    """One message in process, one in the queue; then the listener waits: the backlog stays in the broker."""

    process: Callable[[Any], Any]
    context: Context
    output: Output
    stats: Stats
    logs: Callable[[], AbstractContextManager[None]]
    on_death: Callable[[BaseException], None]

    def __post_init__(self) -> None:
        details = self.context.instance_config.function_details
        self._at_most_once = details.autoAck and details.processingGuarantees == Function_pb2.ATMOST_ONCE
        self._at_least_once = details.autoAck and details.processingGuarantees == Function_pb2.ATLEAST_ONCE
        self._queue: Queue[Item | None] = Queue(1)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="process", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Take no more messages, finish the one in hand and those already handed over."""
        self._stopping = True
        self._queue.put(None)
        self._thread.join()

    def listener(self, decode: Callable[[Any], Any], consumer: Any, message: Any) -> None:
        if self._stopping:
            return
        self.stats.received()
        self._queue.put(Item(message, consumer, decode))
        if self._at_most_once:
            consumer.acknowledge(message)

    def _run(self) -> None:
        try:
            while (item := self._queue.get()) is not None:
                self._handle(item)
        except BaseException as error:  # SystemExit too: a thread that is gone must not look alive
            self.on_death(error)

    def _handle(self, item: Item) -> None:
        try:
            value = item.decode(item.message)
            self.context.set_current_message_context(item.message, item.message.topic_name())
            done, result = self._call(value, item)
            if done:
                self._finish(result, item)
                self.stats.processed()
        except Exception as error:
            LOG.exception("Uncaught exception in Python instance: %s", error)
            self.stats.system_exception(error)
            item.consumer.negative_acknowledge(item.message)

    def _call(self, value: Any, item: Item) -> tuple[bool, Any]:
        """Whether `process` returned, and what."""
        with self.logs():
            self.stats.invoked()
            start = time.perf_counter()
            try:
                result = self.process(value)
            except Exception as error:
                LOG.exception("Exception while executing user method")
                self.stats.user_exception(error)
                item.consumer.negative_acknowledge(item.message)
                return False, None
            self.stats.took((time.perf_counter() - start) * 1000.0)
        return True, result

    def _finish(self, result: Any, item: Item) -> None:
        if result is not None and self.output.topic:
            self.output.send(result, item.message, partial(self._confirmed, item))
        elif self._at_least_once:
            item.consumer.acknowledge(item.message)

    def _confirmed(self, item: Item, result: Any, message_id: Any) -> None:
        """Called by the client when the output is stored, or can't be."""
        if result == pulsar.Result.Ok:
            if self._at_least_once:
                item.consumer.acknowledge(item.message)
            return
        source = item.message.message_id()
        self.stats.system_exception(publish_failure(self.output.topic, result, source))
        item.consumer.negative_acknowledge(item.message)
