"""Messages → `process`, one at a time on one thread → acknowledged, sent on, or negatively acknowledged."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pulsar

from instance_context import Context
from instance_output import Output
from instance_publish import publish_failure
from instance_receive import Input, Item, Receiver
from instance_stats import Stats
from instance_stubs import Function_pb2

LOG = logging.getLogger()


@dataclass
class Worker:
    """One message in process at a time; what it has not asked for stays with the client, or the broker."""

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

    def start(self, inputs: Sequence[Input]) -> None:
        self._receiver = Receiver(inputs)
        self._thread = threading.Thread(target=self._run, name="process", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish the message in hand, take no more."""
        self._receiver.stop()
        self._thread.join()

    def _run(self) -> None:
        try:
            for item in self._receiver.messages():
                self.stats.received()
                if self._at_most_once:
                    item.source.consumer.acknowledge(item.message)
                self._handle(item)
        except BaseException as error:  # SystemExit too: a thread that is gone must not look alive
            self.on_death(error)

    def _handle(self, item: Item) -> None:
        try:
            value = item.source.decode(item.message)
            self.context.set_current_message_context(item.message)
            done, result = self._call(value, item)
            if done:
                self._finish(result, item)
                self.stats.processed()
        except Exception as error:
            LOG.exception("Uncaught exception in Python instance: %s", error)
            self.stats.system_exception(error)
            item.source.consumer.negative_acknowledge(item.message)

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
                item.source.consumer.negative_acknowledge(item.message)
                return False, None
            self.stats.took((time.perf_counter() - start) * 1000.0)
        return True, result

    def _finish(self, result: Any, item: Item) -> None:
        if result is not None and self.output.topic:
            self.output.send(result, item.message, partial(self._confirmed, item))
        elif self._at_least_once:
            item.source.consumer.acknowledge(item.message)

    def _confirmed(self, item: Item, result: Any, message_id: Any) -> None:
        """Called by the client when the output is stored, or can't be."""
        if result == pulsar.Result.Ok:
            if self._at_least_once:
                item.source.consumer.acknowledge(item.message)
            return
        source = item.message.message_id()
        self.stats.system_exception(publish_failure(self.output.topic, result, source))
        item.source.consumer.negative_acknowledge(item.message)
