"""Fuzzes a BFF, its own or the one at --url: python -m tests.fuzz.run --cases 10000 --bodies 100000."""

from functions.program.run import run

if __name__ == "__main__":
    run("tests.fuzz.run")  # loads it under its own name, and never returns

import argparse
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.fuzz import schema, sending
from tests.support.platform import ROOT, Platform

FOLDER: Final = ROOT / "build" / "fuzz"


def main() -> int:
    args = _parse_args()
    print(f"seed {args.seed}", flush=True)
    with _bff(args.url) as url:
        print(f"schemathesis, {args.cases} cases against {url} …", flush=True)
        cases = schema.run(url, args.cases, args.seed, FOLDER)
        print(f"{args.bodies} raw bodies …", flush=True)
        bodies = sending.run(url, args.bodies, args.seed, FOLDER)
    print(report(cases, bodies))
    return 1 if cases.findings or bodies.findings else 0


def report(cases: schema.Report, bodies: sending.Result) -> str:
    """A table, and every finding."""
    rows = [(f"cases: {phase}", total) for phase, total in cases.cases.items()]
    rows += [("cases: all", cases.cases.total())]
    rows += [(f"check: {name}", count) for name, count in sorted(cases.checks.items())]
    rows += [("bodies", bodies.memory[-1][0])]
    rows += [(f"answers: {status}", count) for status, count in sorted(bodies.statuses.items())]
    rows += [(f"KiB after {done} bodies", sum(m.values()) // 1024) for done, m in bodies.memory]
    findings = cases.findings + bodies.findings
    return "\n".join([*(f"{what:<40}{amount:>10}" for what, amount in (*rows, ("findings", len(findings)))), *findings])


@contextmanager
def _bff(url: str | None) -> Iterator[str]:
    """One on a platform of its own, unless there is one."""
    if url:
        yield url
        return
    platform = Platform(Path(tempfile.mkdtemp(prefix="fuzz-")))
    try:
        print("starting a platform …", platform.local("up"), platform.deploy(), sep="\n", flush=True)
        yield platform.bff_url
    finally:
        platform.local("clean")


def _parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m tests.fuzz.run", description=__doc__)
    parser.add_argument("--url", help="of a BFF on this machine (default: starts a platform)")
    parser.add_argument("--cases", type=int, default=10_000, help="of schemathesis (default 10000)")
    parser.add_argument("--bodies", type=int, default=100_000, help="raw HTTP requests (default 100000)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="default: a random one")
    return parser.parse_args()
