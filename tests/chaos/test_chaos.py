"""A minute of chaos: every kind of fault while orders flow; nothing is lost, doubled or stuck."""

import random

import pytest

from tests.chaos import report
from tests.chaos.chaos import Settings, run
from tests.chaos.faults import WEIGHTS
from tests.support.platform import Platform

pytestmark = pytest.mark.e2e


def test_orders_survive_kills_of_everything(platform: Platform) -> None:
    try:
        result = run(platform, Settings(45, interval=4, rate=10, seed=random.randrange(10**6), timeout=180))
    finally:
        platform.local("up")
    print(report.text(result))
    assert not result.broken_invariants
    assert {fault.kind for fault in result.log.faults} == set(WEIGHTS)
    assert len(result.log.accepted) > 100
