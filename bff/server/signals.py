"""Lets only the first SIGTERM or SIGINT reach the server, and SIGHUP only while it can be obeyed.

The server's handlers may deadlock if a second signal comes while they run. That happens: a terminal or a service
manager signals the whole process group, and then the supervisor signals each worker.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from typing import Any, Final

from functions.program import output

_delivered: Final[list[int]] = []
_before: Final[list[Callable[[], None]]] = []


def block() -> None:
    """Blocks SIGTERM, SIGINT and SIGHUP in this thread, and in the threads and processes that it starts from now on."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})


def stop_without_reader() -> None:
    """Sends this process SIGTERM once nobody reads its log any more, as after `python -m bff | head`."""
    threading.Thread(target=_watch_reader, name="reader", daemon=True).start()


def exit_code() -> int:
    """What the program says at its end: 130 if Ctrl-C stopped it, else 0: for a server SIGTERM is the usual end."""
    return 128 + signal.SIGINT if signal.SIGINT in _delivered else 0


def deliver_first(*signals: int) -> None:
    """Lets the first of these blocked signals run the handler of SIGTERM; later ones do nothing.

    A thread of its own waits for the signal. If SIGTERM has no handler by then, the process ends with exit code 0.
    """
    threading.Thread(target=_deliver, args=(signals, _call), name="signals", daemon=True).start()


def deliver_first_to_loop(loop: asyncio.AbstractEventLoop) -> None:
    """The same for SIGTERM alone, in a process whose handler is one of this event loop in its main thread. The signal
    itself stays blocked: unblocked for a moment, it could come a second time in it.
    """

    def deliver(_: Any) -> None:
        loop.call_soon_threadsafe(_tell_loop)

    threading.Thread(target=_deliver, args=((signal.SIGTERM,), deliver), name="signals", daemon=True).start()


def deliver_hangups(is_wanted: Callable[[], bool]) -> None:
    """Lets each SIGHUP, which is blocked, run its handler if `is_wanted` says so then."""
    threading.Thread(target=_deliver_hangups, args=(is_wanted,), name="hangups", daemon=True).start()


def before_end(action: Callable[[], None]) -> None:
    """Lets this be done when the signal has come, before it is delivered."""
    _before.append(action)


def _watch_reader() -> None:
    output.wait_until_reader_is_gone()
    os.kill(os.getpid(), signal.SIGTERM)


def _deliver(signals: tuple[int, ...], deliver: Callable[[Any], None]) -> None:
    _delivered.append(signal.sigwait(signals))
    handler = signal.getsignal(signal.SIGTERM)
    if not callable(handler):
        os._exit(0)
    for action in _before:
        action()
    deliver(handler)


def _deliver_hangups(is_wanted: Callable[[], bool]) -> None:
    while True:
        signal.sigwait({signal.SIGHUP})
        handler = signal.getsignal(signal.SIGHUP)
        if callable(handler) and is_wanted():
            handler(signal.SIGHUP, None)


def _call(handler: Any) -> None:
    handler(signal.SIGTERM, None)


def _tell_loop() -> None:
    """Writes to the running event loop, in its thread, what Python writes to it when a signal comes."""
    wakeup = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(wakeup)
    os.write(wakeup, bytes([signal.SIGTERM]))
