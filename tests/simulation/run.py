"""Runs stories, one after another, in as many processes as there are cores, until one fails or the time is over.

make simulate                          # a minute
make simulate ARGS="--minutes 60"
make simulate ARGS="--sagas 1000000"   # however long it takes
make simulate ARGS="--seed 7"          # one story
"""

import sys
from pathlib import Path

from functions.program.run import run as run_program

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[2] / "pulsar-admin-scripts"))  # its functions are configured by `tools`
    run_program("tests.simulation.run")  # loads it under its own name, and never returns

import argparse
import gc
import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from typing import Final

from tests.simulation.seeds import story
from tests.simulation.shrink import shrink
from tests.simulation.simulation import run

STORIES_AT_ONCE: Final = 10
"""Stories that a process runs before it says how they went."""


@dataclass
class Report:
    """What was run. `failure`: the first story that failed, shrunk; "" if none did."""

    stories: int = 0
    sagas: int = 0
    hours: float = 0.0
    failure: str = ""

    def add(self, other: "Report") -> None:
        self.stories += other.stories
        self.sagas += other.sagas
        self.hours += other.hours
        self.failure = self.failure or other.failure


def run_seeds(first: int, count: int = STORIES_AT_ONCE) -> Report:
    """The stories of so many seeds, until one fails."""
    report = Report()
    gc.disable()  # a story's objects stay until its end
    for seed in range(first, first + count):
        outcome = run(story(seed))
        report.add(Report(1, outcome.story.order_count, outcome.hours))
        if outcome.broken:
            shrunk = shrink(outcome)
            report.failure = f'{shrunk}\nagain, all of it: make simulate ARGS="--seed {seed}"'
            break
        del outcome
        gc.collect()
    gc.enable()
    return report


def run_for(seconds: float, sagas: int, first: int, processes: int) -> Report:
    """Stories from the seed `first` on, until the time is over, there were so many sagas, or one fails."""
    deadline = time.monotonic() + seconds
    total = Report()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        seeds = _every(first, STORIES_AT_ONCE)
        running = {pool.submit(run_seeds, next(seeds)) for _ in range(processes)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                total.add(future.result())
                if not total.failure and total.sagas < sagas and time.monotonic() < deadline:
                    running.add(pool.submit(run_seeds, next(seeds)))
    return total


def _every(first: int, step: int) -> Iterator[int]:
    while True:
        yield first
        first += step


def main(arguments: list[str] | None = None) -> int:
    """0 if all went well, 1 if a story failed."""
    parser = argparse.ArgumentParser(prog="make simulate", description="stories in virtual time")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long, at most (default: 1)")
    parser.add_argument("--sagas", type=int, help="until there were so many orders, however long it takes")
    parser.add_argument("--seed", type=int, help="this story only")
    parser.add_argument("--first", type=int, default=0, help="the first seed (default: 0)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="default: one for each core")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    if options.seed is not None:
        report = run_seeds(options.seed, 1)
    else:
        seconds = options.minutes * 60 if options.sagas is None else float("inf")
        report = run_for(seconds, options.sagas or sys.maxsize, options.first, options.processes)
    elapsed = time.monotonic() - began
    print(
        f"{report.stories:,} stories, {report.sagas:,} sagas, {report.hours:,.0f} simulated hours in {elapsed:.0f} s "
        f"({report.sagas / elapsed:,.0f} sagas/s)"
    )
    if report.failure:
        print(f"\nbroken; the story, shrunk:\n{report.failure}", file=sys.stderr)
    return 1 if report.failure else 0
