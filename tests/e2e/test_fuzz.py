"""A minute of `make fuzz` against the whole platform: nothing is found."""

import random
from pathlib import Path

import pytest

from tests.e2e.test_garbage import pending
from tests.fuzz import schema, sending
from tests.support.platform import Platform, wait_for

pytestmark = pytest.mark.e2e


@pytest.fixture
def seed(platform: Platform) -> int:
    chosen_seed = random.randrange(10**6)
    print(f"seed {chosen_seed}")
    return chosen_seed


def test_schemathesis_finds_nothing(platform: Platform, tmp_path: Path, seed: int) -> None:
    findings = schema.run(platform.bff_url, 1000, seed, tmp_path).findings
    assert not findings, "\n".join(findings)
    wait_for("the functions to catch up", lambda: pending(platform) == 0)


def test_no_body_brings_the_bff_down(platform: Platform, tmp_path: Path, seed: int) -> None:
    findings = sending.run(platform.bff_url, 5000, seed, tmp_path).findings
    assert not findings, "\n".join(map(str, findings))
    wait_for("the functions to catch up", lambda: pending(platform) == 0)
