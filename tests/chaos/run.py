"""Chaos on a platform of its own, for as long as you like: python -m tests.chaos.run --minutes 10.

With --cluster on a secured cluster: kill -9 of any of its nodes, and cuts between two of them; then everything is
restarted one by one, as for an upgrade.
"""

from functions.program.run import run

if __name__ == "__main__":
    run("tests.chaos.run")  # loads it under its own name, and never returns

import argparse
import random
import tempfile
from pathlib import Path
from typing import Final

from tests.chaos import chaos, report, rolling
from tests.support.cluster import ClusterPlatform
from tests.support.platform import Platform
from tests.support.reconfigure import reconfigure

WAIT: Final = 10
"""How long orders wait for a driver, in s: some get one, others are compensated."""


def main() -> int:
    arguments = _parse_args()
    settings = chaos.Settings(
        60 * arguments.minutes, arguments.faults_every, arguments.rate, arguments.seed, arguments.drain
    )
    print(f"seed {settings.seed}; starting a {'cluster' if arguments.cluster else 'platform'} …", flush=True)
    kind = ClusterPlatform if arguments.cluster else Platform
    platform = kind(Path(tempfile.mkdtemp(prefix="chaos-")))
    try:
        print(platform.local("up"), platform.deploy(), sep="", flush=True)
        reconfigure(platform, "conductores", "asignar-conductor", ESPERA_CONDUCTOR=WAIT)
        result = chaos.run(platform, settings)
        text, broken = report.text(result), bool(result.broken_invariants)
        print(text, flush=True)
        if isinstance(platform, ClusterPlatform) and not broken:
            upgrade = rolling.run(platform, settings.rate / 2, settings.seed)
            print(report.of_upgrade(upgrade))
            text, broken = text + report.of_upgrade(upgrade), bool(upgrade.broken_invariants)
        if arguments.report:
            file = arguments.report / ("cluster.md" if arguments.cluster else "report.md")
            file.write_text(text, "utf-8")
        return 1 if broken else 0
    finally:
        if arguments.keep:
            print(f"left running: PLATFORM_DATA={platform.data}")
        else:
            platform.local("clean")


def _parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.chaos.run", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="of faults (default 10)")
    parser.add_argument("--cluster", action="store_true", help="on a secured cluster")
    parser.add_argument("--faults-every", type=float, metavar="S", help="on average, in s (default 5; cluster: 15)")
    parser.add_argument("--rate", type=float, help="orders a second (default 20; cluster: 50)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="default: a random one")
    parser.add_argument("--drain", type=float, default=300, metavar="S", help="time to drain, in s (default 300)")
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="where report.md, or cluster.md, is written")
    parser.add_argument("--keep", action="store_true", help="leave the platform running, to look at it")
    arguments = parser.parse_args()
    arguments.faults_every = arguments.faults_every or (15 if arguments.cluster else 5)
    arguments.rate = arguments.rate or (50 if arguments.cluster else 20)
    return arguments
