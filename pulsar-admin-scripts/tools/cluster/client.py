"""The Pulsar client of the scripts, for whatever cluster pulsar-admin is set up for: the same client.conf."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import pulsar

from functions.cluster import client_conf
from functions.program.run import saying_if_interrupted
from functions.program.threads import start
from functions.pulsar_io.errors import NotPublished
from tools.errors import ToolError

TIMEOUT: Final = 10
"""Seconds that the broker may take to answer."""
ENVIRONMENT_HELP: Final = (
    "  PULSAR_LOG                  /dev/null               a file for the Pulsar client's own log\n"
)


def connect() -> pulsar.Client:
    """A client, which connects when it is first used; ToolError if the settings can't be used."""
    url = _url()
    logger = pulsar.FileLogger(pulsar.LoggerLevel.Warn, os.environ.get("PULSAR_LOG", os.devnull))
    try:
        conf = client_conf.options(client_conf.from_env())
        return pulsar.Client(url, logger=logger, operation_timeout_seconds=TIMEOUT, **conf)
    except (OSError, ValueError) as error:
        file = os.environ.get("PULSAR_CLIENT_CONF")
        raise ToolError(f"can't use PULSAR_SERVICE_URL={url}, PULSAR_CLIENT_CONF={file}: {error}") from error


@contextmanager
def connected() -> Iterator[pulsar.Client]:
    """As `connect`; the client is closed at the end, whatever that is.

    Its threads end too, if the broker does not answer, or somebody presses Ctrl-C once more: a thread that calls Python
    while the program ends would abort it.
    """
    client = connect()
    try:
        yield client
    finally:
        try:
            with suppress(pulsar.PulsarException):
                client.close()
        finally:
            client.shutdown()


def run_with_client(work: Callable[[pulsar.Client], int], interrupt_message: str) -> int:
    """Runs a program's work with a client, which is closed at the end, whatever the end is.

    Returns what `work` returns. Raises ToolError for an error of the Pulsar client; an interruption passes, and prints
    `interrupt_message`.
    """
    with saying_if_interrupted(interrupt_message), connected() as client:
        try:
            return work(client)
        except pulsar.Interrupted as error:  # what the client makes of Ctrl-C
            raise KeyboardInterrupt(interrupt_message) from error
        except (pulsar.PulsarException, NotPublished) as error:
            raise ToolError(f"{_explained(error)}; PULSAR_LOG=FILE makes the client say more") from error


@contextmanager
def notice_if_slow() -> Iterator[None]:
    """Says on stderr that the broker is waited for, if what is in the block takes longer than 2 s."""
    timer = threading.Timer(2, lambda: print(f"waiting for the broker at {_url()} …", file=sys.stderr, flush=True))
    timer.daemon = True
    start(timer)
    try:
        yield
    finally:
        timer.cancel()


def _url() -> str:
    return os.environ.get("PULSAR_SERVICE_URL", "pulsar://127.0.0.1:6650")


def _explained(error: Exception) -> str:
    """What went wrong, and, where that is known, what to do."""
    reason = f"{type(error).__name__}: {error}"
    if isinstance(error, pulsar.TopicNotFound):
        return f"{reason}: the topic does not exist: run provision.py, which makes it"
    if isinstance(error, (pulsar.Timeout, pulsar.ConnectError)):
        return f"{reason}: the broker at {_url()} does not answer: is it up, and is PULSAR_SERVICE_URL right?"
    return reason
