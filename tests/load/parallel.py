"""Work on all cores: processes for each, in them a thread for each action, and one clock."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from typing import Final

Action = Callable[[], None]
Prepare = Callable[[str], AbstractContextManager[Sequence[Action]]]
"""Gets a piece of work ready, in the process that is to do it; must be picklable."""
TIMEOUT: Final = 120
"""For the slowest process to get ready, in s."""
_barriers: list[Barrier] = []


def run(prepare: Prepare, weights: Mapping[str, float], per_core: int = 1) -> float:
    """Seconds from when all is ready until all is done. `weights`: the pieces of work, and how much each is;
    `per_core`: processes for each core.
    """
    shares = distribute(weights, per_core * (os.cpu_count() or 1))
    context = get_context("spawn")  # the client libraries' threads don't survive a fork
    barrier = context.Barrier(len(shares))
    with ProcessPoolExecutor(len(shares), context, _set_barrier, (barrier,)) as processes:
        times = list(processes.map(partial(_work, prepare), shares))
    return max(end for _, end in times) - min(started_at for started_at, _ in times)


def distribute(weights: Mapping[str, float], workers: int) -> list[list[str]]:
    """The heaviest first, each to whom has least; nobody without any."""
    batches: list[list[str]] = [[] for _ in range(min(workers, len(weights)))]
    for name in sorted(weights, key=lambda name: -weights[name]):
        min(batches, key=lambda batch: sum(weights[other] for other in batch)).append(name)
    return batches


def _set_barrier(barrier: Barrier) -> None:
    """Barriers reach a process when it begins, or never."""
    _barriers.append(barrier)


def _work(prepare: Prepare, names: Sequence[str]) -> tuple[float, float]:
    """Begin and end, on the monotonic clock, which is one for all processes."""
    with ExitStack() as stack:
        actions = [action for name in names for action in stack.enter_context(prepare(name))]
        executor = stack.enter_context(ThreadPoolExecutor(len(actions)))
        _barriers[0].wait(TIMEOUT)
        started_at = time.monotonic()
        for future in [executor.submit(action) for action in actions]:
            future.result()
        return started_at, time.monotonic()
