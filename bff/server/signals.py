"""Lets only the first SIGTERM or SIGINT reach the server.

The server's handlers may deadlock if a second signal comes while they run. That happens: a terminal or a service
manager signals the whole process group, and then the supervisor signals each worker.
"""

import os
import signal
import threading


def block() -> None:
    """Blocks SIGTERM and SIGINT in this thread, and in the threads and processes that it starts from now on."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})


def deliver_first(*signals: int) -> None:
    """Lets the first of these blocked signals run the handler of SIGTERM; later ones do nothing.

    A thread of its own waits for the signal. If SIGTERM has no handler by then, the process ends with exit code 0.
    """
    threading.Thread(target=_deliver, args=(signals,), name="signals", daemon=True).start()


def _deliver(signals: tuple[int, ...]) -> None:
    signal.sigwait(signals)
    handler = signal.getsignal(signal.SIGTERM)
    if not callable(handler):
        os._exit(0)
    handler(signal.SIGTERM, None)
