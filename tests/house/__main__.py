"""`python -m tests.house`, a part of `make check`: prints every breach of the house's rules; exit code 1 if any."""

from functions.program.run import run

if __name__ == "__main__":
    run("tests.house.__main__")  # loads it under its own name, and never returns

import argparse
import sys

from tests.house import docstrings, links, locks, names, sizes, topics
from tests.support.platform import ROOT


def main(arguments: list[str] | None = None) -> int:
    """All rules on the repository."""
    argparse.ArgumentParser("python -m tests.house", description=__doc__).parse_args(arguments)
    found = [one for rule in (names, sizes, links, locks, docstrings, topics) for one in rule.violations(ROOT)]
    print("".join(f"{violation}\n" for violation in found), end="", file=sys.stderr)
    if found:
        print(f"the house: {len(found)} violations", file=sys.stderr)
    return int(bool(found))
