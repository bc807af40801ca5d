"""The cache that is refreshed in a thread of its own: ages, pauses, failures, and one refresh at a time."""

import threading
from collections.abc import Callable

import pytest

from bff.refreshed_cache import RefreshedCache
from tests.support.platform import wait_for
from tests.support.tokens import FakeClock

PAUSE = 10.0


class Source:
    """Reads 1, 2, 3, …, or None while it `fails`. A reading lasts until `gate` is open, and moves the clock on by
    `duration` seconds.
    """

    def __init__(self, clock: FakeClock) -> None:
        self.readings = 0
        self.fails = False
        self.duration = 0.0
        self.gate = threading.Event()
        self.gate.set()
        self._clock = clock

    def read(self) -> int | None:
        self.readings += 1
        self.gate.wait(5)
        self._clock.now += self.duration
        return None if self.fails else self.readings


@pytest.fixture
def source(clock: FakeClock) -> Source:
    return Source(clock)


MakeCache = Callable[..., RefreshedCache[int]]


@pytest.fixture
def make_cache(source: Source, clock: FakeClock) -> MakeCache:
    def make(counts_from_end: bool = False) -> RefreshedCache[int]:
        return RefreshedCache(source.read, name="test", pause=PAUSE, clock=clock, counts_from_end=counts_from_end)

    return make


def refresh(cache: RefreshedCache[int]) -> bool:
    """Refreshes and waits for the end."""
    has_begun = cache.refresh()
    wait_for("the refresh", lambda: not cache.is_refreshing)
    return has_begun


def test_there_is_nothing_before_the_first_refresh(make_cache: MakeCache) -> None:
    cache = make_cache()
    assert (cache.get(), cache.is_refreshing) == (None, False)
    cache.wait(5)  # returns at once


def test_a_value_is_given_until_it_is_too_old_for_the_caller(make_cache: MakeCache, clock: FakeClock) -> None:
    cache = make_cache()
    assert refresh(cache)
    clock.now += 3
    assert (cache.get(3), cache.get(4), cache.get()) == (None, 1, 1)


def test_the_old_value_is_given_during_a_refresh_and_only_one_runs(
    make_cache: MakeCache, source: Source, clock: FakeClock
) -> None:
    cache = make_cache()
    refresh(cache)
    source.gate.clear()
    clock.now += PAUSE
    assert cache.refresh()
    clock.now += PAUSE
    assert not cache.refresh()
    cache.wait(0.01)
    assert (cache.is_refreshing, cache.is_current, cache.get()) == (True, False, 1)
    source.gate.set()
    cache.wait(5)
    assert (cache.is_current, cache.get(), source.readings) == (True, 2, 2)


def test_a_failure_keeps_the_old_value_and_is_not_repeated_before_the_pause_is_over(
    make_cache: MakeCache, source: Source, clock: FakeClock
) -> None:
    cache = make_cache()
    refresh(cache)
    source.fails = True
    clock.now += PAUSE
    assert refresh(cache)
    assert (cache.get(), cache.get(PAUSE), cache.is_current) == (1, None, False)
    clock.now += PAUSE - 1
    assert not refresh(cache)
    clock.now += 1
    source.fails = False
    assert refresh(cache)
    assert (cache.get(), cache.is_current) == (3, True)


@pytest.mark.parametrize(("counts_from_end", "age"), [(False, 4.0), (True, 0.0)])
def test_ages_and_pauses_count_from_the_beginning_or_the_end(
    make_cache: MakeCache, source: Source, clock: FakeClock, counts_from_end: bool, age: float
) -> None:
    cache = make_cache(counts_from_end)
    source.duration = 4.0
    refresh(cache)
    assert (cache.get(age), cache.get(age + 1)) == (None, 1)
    clock.now += PAUSE - age - 1
    assert not refresh(cache)
    clock.now += 1
    assert refresh(cache)
