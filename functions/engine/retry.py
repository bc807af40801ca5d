"""Waiting for the infrastructure: what fails because the database or the broker is unavailable is tried again."""

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

import pulsar

from functions.postgres import errors
from functions.pulsar_io.errors import NotPublished, SchemaRefused
from functions.telemetry.metrics import INFRASTRUCTURE_FAILURES, SCHEMA_REFUSALS, Metrics

RETRY_WAIT: Final = (0.05, 5.0)
"""First and longest wait between two tries while the infrastructure is unavailable, in seconds."""

_log = logging.getLogger(__name__)
R = TypeVar("R")


class Stopped(Exception):
    """The process is ending: whoever waits for the infrastructure gives up, and the messages come again later."""


class Retry:
    """Runs actions until the infrastructure lets them succeed.

    An action that fails with a transient error (`is_transient`) is run again after a pause that doubles, with jitter,
    for as long as it takes; any other error is raised at once. Nothing is acknowledged meanwhile, so nothing is lost.
    The first failure of each kind is logged, and so is the recovery; each failure is counted in the metrics. Raises
    Stopped once `stopping` is set. An action must change nothing when it is run twice: that is the caller's promise.
    """

    def __init__(self, stopping: threading.Event, metrics: Metrics) -> None:
        self._stopping = stopping
        self._metrics = metrics

    def run(self, action: Callable[[], R], divisible: bool = False) -> R:
        """What `action` returns. If the batch that it works on is `divisible`, an error that a smaller batch may be
        spared (too long, or in the way of another transaction) is raised at once.
        """
        pause = RETRY_WAIT[0]
        started = time.monotonic()
        seen = set[str]()
        while True:
            try:
                result = action()
            except Exception as error:
                if not is_transient(error) or (divisible and errors.is_batch_related(error)):
                    raise
                self._record(error, seen)
                if self._stopping.wait(pause * random.uniform(0.5, 1)):
                    raise Stopped from error
                pause = min(2 * pause, RETRY_WAIT[1])
            else:
                if seen:
                    _log.warning("infrastructure is back after %.1f s", time.monotonic() - started)
                return result

    def _record(self, error: Exception, seen: set[str]) -> None:
        refused = isinstance(error, SchemaRefused)
        self._metrics.record(SCHEMA_REFUSALS if refused else INFRASTRUCTURE_FAILURES, 1)
        kind = type(error).__name__
        if kind not in seen:
            seen.add(kind)
            _log.warning("infrastructure away, retrying, nothing is lost: %s: %s", kind, error)


def is_transient(error: Exception) -> bool:
    """True if the infrastructure, not the message, is the cause: the same message may succeed later."""
    return isinstance(error, NotPublished | pulsar.PulsarException) or errors.is_transient(error)
