"""Asks for known vulnerabilities of every Python package that is locked, also of those that only tests need.

pip-audit compares tests/requirements.lock, which has all of them, with the advisories of the Python package index.
Exit codes: 0 none is known, or NOT SCANNED: the advisories can't be reached from here; 1 vulnerabilities, or an error.
"""

from functions.program.run import run

if __name__ == "__main__":
    run("deployment.release.audit")  # loads it under its own name, and never returns

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

LOCK: Final = Path(__file__).parents[2] / "tests" / "requirements.lock"
COMMAND: Final = (sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "--format", "json")
_UNREACHABLE: Final = re.compile(
    r"ConnectionError|ProxyError|Timeout|SSLError|HTTPError|Could not connect", re.IGNORECASE
)
"""What pip-audit's error has in it when the advisories did not answer."""


def report(returncode: int, stdout: str, stderr: str) -> tuple[int, str]:
    """The exit code, and what to tell people, of what pip-audit printed.

    A package that the advisories don't have counts as not scanned: pip-audit calls it skipped, and finds nothing.
    """
    try:
        dependencies: list[dict[str, Any]] = json.loads(stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        reason = (stderr.strip().splitlines() or [f"pip-audit ended with {returncode} and said nothing"])[-1]
        if _UNREACHABLE.search(stderr):
            return 0, f"NOT SCANNED for vulnerabilities: the advisories can't be reached: {reason}"
        return 1, f"error: pip-audit: {reason}"
    found = [f"  {_name(d)}: {_advisory(v)}" for d in dependencies for v in d.get("vulns", ())]
    skipped = [d["name"] for d in dependencies if "skip_reason" in d]
    lines = [f"{len(found)} known vulnerabilities, of {len(dependencies) - len(skipped)} packages:", *found]
    if skipped and len(skipped) == len(dependencies):
        lines = [f"NOT SCANNED for vulnerabilities: the advisories have none of the {len(skipped)} packages"]
    elif skipped:
        lines.append(f"NOT SCANNED for vulnerabilities, {len(skipped)} packages: {', '.join(skipped)}")
    return int(bool(found)), "\n".join(lines)


def _name(dependency: dict[str, Any]) -> str:
    return f"{dependency['name']} {dependency['version']}"


def _advisory(vulnerability: dict[str, Any]) -> str:
    fixed: Sequence[str] = vulnerability.get("fix_versions") or ("no version yet",)
    return f"{vulnerability['id']}, fixed in {', '.join(fixed)}"


def main() -> None:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m deployment.release.audit", description=__doc__, formatter_class=formatter
    )
    parser.parse_args()
    command = [*COMMAND, "--progress-spinner", "off", "--requirement", str(LOCK)]
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    code, text = report(completed.returncode, completed.stdout, completed.stderr)
    print(text, file=sys.stderr if code else sys.stdout)
    sys.exit(code)
