"""Makes a failing story shorter while it still fails in the same way: delta debugging."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from tests.simulation.simulation import Outcome, run
from tests.simulation.story import Story

T = TypeVar("T")
MAX_RUNS = 300
"""Stories that are tried, at most."""


def shrink(outcome: Outcome) -> Outcome:
    """The shortest failing story that was found; each thing that is left in it may be needed."""
    budget = [MAX_RUNS]
    best = outcome

    def attempt(story: Story) -> bool:
        nonlocal best
        if budget[0] <= 0:
            return False
        budget[0] -= 1
        candidate = run(story)
        if not candidate.broken.keys() & outcome.broken.keys():
            return False
        best = candidate
        return True

    _reduce(list(best.story.events), lambda events: attempt(replace(best.story, events=tuple(events))))
    _reduce(list(best.story.orders), lambda orders: attempt(replace(best.story, orders=tuple(orders))))
    hosts = [host for host, offset in best.story.offsets.items() if offset]
    _reduce(hosts, lambda kept: attempt(replace(best.story, offsets={h: best.story.offsets[h] for h in kept})))
    for index in range(len(best.story.orders)):
        while (count := best.story.orders[index].count) > 1:
            orders = list(best.story.orders)
            orders[index] = replace(orders[index], count=count // 2)
            if not attempt(replace(best.story, orders=tuple(orders))):
                break
    return best


def _reduce(items: list[T], still_fails: Callable[[list[T]], bool]) -> None:
    """Leaves out halves, then quarters, …, then single items, as long as that still fails."""
    size = len(items)
    while size:
        start = 0
        while start < len(items):
            remaining = items[:start] + items[start + size :]
            if still_fails(remaining):
                items = remaining
            else:
                start += size
        size //= 2
