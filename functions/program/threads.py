"""Threads that neither swallow Ctrl-C nor are spoilt by it.

A signal that arrives just before the main thread waits for a lock without a limit is seen when the wait is over. One
that arrives while `threading` starts a thread may leave its locks broken: "RuntimeError: release unlocked lock". Of
32,000 programs with ThreadPoolExecutor.map that got a Ctrl-C while the pool started, the first happened to one, the
second to five.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final, TypeVar

from functions.program.run import uninterrupted

WAIT: Final = 1.0
"""Longest wait in the main thread before it looks whether a signal has come, in seconds."""

T = TypeVar("T")
R = TypeVar("R")


def start(thread: Thread) -> None:
    """Starts a thread; a signal takes effect once it runs."""
    with uninterrupted():
        thread.start()


def map_in_threads(
    threads: int, function: Callable[[T], R], items: Iterable[T], done: Callable[[int, int], None] = lambda *_: None
) -> list[R]:
    """What `function` returns for each item, in their order; for `threads` of them at a time.

    `done` is called in the caller's thread after each one, with how many are done, of how many. What `function` raises
    is raised as soon as it is; then, and after Ctrl-C, no more items are begun, and nobody waits for those that are.
    """
    executor = ThreadPoolExecutor(threads)
    finished: SimpleQueue[Future[R]] = SimpleQueue()  # written in C: a signal leaves it whole
    try:
        with uninterrupted():
            futures = [executor.submit(function, item) for item in items]
            for future in futures:
                future.add_done_callback(finished.put)
        for count in range(1, len(futures) + 1):
            _next(finished).result()
            done(count, len(futures))
        return [future.result() for future in futures]
    finally:
        with uninterrupted():
            executor.shutdown(wait=False, cancel_futures=True)


def _next(finished: "SimpleQueue[Future[R]]") -> "Future[R]":
    while True:
        try:
            return finished.get(timeout=WAIT)
        except Empty:
            pass
