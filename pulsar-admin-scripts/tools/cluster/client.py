"""The Pulsar client of the scripts, for whatever cluster pulsar-admin is set up for: the same client.conf."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import pulsar

from functions.cluster import client_conf
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


def run_with_client(work: Callable[[pulsar.Client], int], interrupt_message: str) -> int:
    """As `run_program`, with a client that is closed at the end."""

    def run() -> int:
        client = connect()
        try:
            return work(client)
        finally:
            with suppress(pulsar.PulsarException):
                client.close()

    return run_program(run, interrupt_message)


def run_program(work: Callable[[], int], interrupt_message: str) -> int:
    """Runs a program's work, and returns the program's exit code.

    It is what `work` returns; 1 after an error of the Pulsar client was printed to stderr; 130 after Ctrl-C or SIGTERM,
    when `interrupt_message` is printed; 141 if nobody reads the output any more. Other exceptions pass.
    """
    for output in (sys.stdout, sys.stderr):
        output.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # what the terminal can't show
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        exit_code = work()
        sys.stdout.flush()
        return exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python still flushes at its end
        return 141
    except KeyboardInterrupt:
        print(interrupt_message, file=sys.stderr)
        return 130
    except (pulsar.PulsarException, NotPublished) as error:
        print(f"error: {_explained(error)}; PULSAR_LOG=FILE makes the client say more", file=sys.stderr)
        return 1


@contextmanager
def notice_if_slow() -> Iterator[None]:
    """Says on stderr that the broker is waited for, if what is in the block takes longer than 2 s."""
    timer = threading.Timer(2, lambda: print(f"waiting for the broker at {_url()} …", file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
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
