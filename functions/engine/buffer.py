"""The buffer between the consumer, which brings one message at a time, and the worker thread, which takes batches."""

import queue
import threading
from typing import Final

from functions.engine.handler import BATCH_SIZE
from functions.engine.retry import Stopped
from functions.pulsar_io.schema import Received

CAPACITY: Final = 2 * BATCH_SIZE
"""Messages that wait in memory, at most: one batch gathers while another one commits."""
MAX_OVERSIZED: Final = 8
"""Messages in memory that are too big to be ours, at most: each may have the broker's largest size."""


class Buffer:
    """Messages that wait for the worker thread, bounded in number and size: `put` blocks while it is full.

    One thread puts, one thread takes. `stopping` is the engine's event: a linger ends early once it is set.
    """

    def __init__(self, stopping: threading.Event) -> None:
        self._stopping = stopping
        # a SimpleQueue, which is written in C, has no limit: the limit is kept here
        self._queue: queue.SimpleQueue[Received | None] = queue.SimpleQueue()
        self._has_room = threading.Event()
        self._oversized = threading.Semaphore(MAX_OVERSIZED)

    def size(self) -> int:
        """How many messages wait."""
        return self._queue.qsize()

    def put(self, received: Received) -> None:
        """Adds a message. Blocks while the buffer is full, or holds too many oversized messages."""
        if received.is_oversized:
            self._oversized.acquire()
        while self._queue.qsize() >= CAPACITY:
            self._has_room.clear()
            if self._queue.qsize() >= CAPACITY:  # emptied in between: nobody would set the event again
                self._has_room.wait()
        self._queue.put(received)

    def take(self, most: int, linger: float) -> list[Received]:
        """The messages that wait, at most `most`. Blocks for the first one; waits `linger` seconds for more unless
        there are enough. Raises Stopped once the buffer is closed.
        """
        batch = [self._queue.get()]
        if linger and self._queue.qsize() < most:
            self._stopping.wait(linger)
        while len(batch) < most and not self._queue.empty():
            batch.append(self._queue.get_nowait())
        self._has_room.set()
        if None in batch:
            raise Stopped
        return batch  # type: ignore[return-value]  # no None in it

    def release(self, received: Received) -> None:
        """Says that a message that was taken is no longer in memory."""
        if received.is_oversized:
            self._oversized.release()

    def close(self) -> None:
        """Has `take` raise Stopped, also if it blocks now."""
        self._queue.put(None)
