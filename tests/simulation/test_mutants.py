"""The simulator finds planted bugs: a test of the test."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import count

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.seeds import story
from tests.simulation.simulation import Outcome, run


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_planted_bug_is_found(mutant: Callable[[], AbstractContextManager[None]]) -> None:
    """By a story that ends well without it; each takes some seconds of the processor, and no story too many is run."""
    with mutant():
        outcome = next(outcome for outcome in map(_run, count()) if outcome.broken)
    print(outcome)
    assert run(outcome.story).broken == {}


def _run(seed: int) -> Outcome:
    return run(story(seed, may_be_big=False))
