"""Signals. The server's handlers may wait for ever for themselves if another signal comes while they run, as happens
when a terminal or a service manager sends one to the whole group and the supervisor to each worker: they get one.
"""

import os
import signal
import threading


def retener() -> None:
    """Until `entregar_la_primera`, in this thread and in those and the processes that it starts."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})


def entregar_la_primera(*senales: int) -> None:
    """The first of them runs the handler of SIGTERM, or ends the process if there is none yet; others do nothing."""
    threading.Thread(target=_entregar, args=(senales,), name="signals", daemon=True).start()


def _entregar(senales: tuple[int, ...]) -> None:
    signal.sigwait(senales)
    manejador = signal.getsignal(signal.SIGTERM)
    if not callable(manejador):
        os._exit(0)
    manejador(signal.SIGTERM, None)
