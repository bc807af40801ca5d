"""A minute of stories in virtual time, another one in each run; and that a seed says all there is to say."""

import os
import random
import subprocess
import sys

from tests.simulation.run import run_for
from tests.simulation.seeds import story
from tests.simulation.simulation import run
from tests.support.platform import ROOT

PRINT_DIGEST = """
from tests.simulation.simulation import run
from tests.simulation.seeds import story
print([run(story(seed, may_be_big=False)).digest() for seed in range(3, 12)])
"""


def test_a_minute_of_stories_ends_well() -> None:
    first = random.randrange(10**9)
    report = run_for(60, sys.maxsize, first, processes=1)
    print(f"from seed {first}: {report}")
    assert not report.failure, report.failure
    assert report.sagas > 0


def test_one_seed_is_one_story() -> None:
    """Whatever the process is, and however Python orders its sets in it."""
    digests = []
    for hash_seed in ("1", "2"):
        env = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": f"{ROOT}:{ROOT / 'pulsar-admin-scripts'}"}
        command = [sys.executable, "-c", PRINT_DIGEST]
        digests.append(subprocess.run(command, env=env, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    assert digests[0] == digests[1]


def test_different_seeds_are_different_stories() -> None:
    assert run(story(3, may_be_big=False)).digest() != run(story(4, may_be_big=False)).digest()
