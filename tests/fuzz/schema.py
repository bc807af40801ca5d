"""schemathesis against a running BFF and the document that it serves: all phases, all checks."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemathesis.checks import CHECKS, load_all_checks

from tests.support.platform import ROOT

PHASES: Final = ("examples", "coverage", "fuzzing", "stateful")
_OPERATIONS: Final = 20
"""A case more for each operation and a few sequences are at least so many cases."""
_COVERAGE_CASES: Final = 500
"""The phase `coverage` has at least so many, whatever is asked for."""


@dataclass(frozen=True)
class Report:
    cases: Counter[str]
    """Of each phase."""
    checks: Counter[str]
    """How often each check was made."""
    findings: list[str]


def run(url: str, cases: int, seed: int, folder: Path) -> Report:
    """What schemathesis finds, with how to reproduce it; a phase or a check that did not run is a finding too."""
    folder.mkdir(parents=True, exist_ok=True)
    events, summary = folder / "esquema.ndjson", folder / "esquema.json"
    process = _schemathesis(url, cases, seed, events, summary)
    (folder / "esquema.txt").write_text(process.stdout, "utf-8")
    case_counts, checks = _count(events)
    phases = json.loads(summary.read_text("utf-8"))["phases"]
    findings = [process.stdout] if process.returncode else []
    findings += [f"the phase {phase} did not run: {phases[phase]}" for phase in PHASES if not case_counts[phase]]
    load_all_checks()
    findings += [f"the check {name} did not run" for name in CHECKS.get_all_names() if not checks[name]]
    if case_counts.total() < cases:
        findings.append(f"only {case_counts.total()} cases instead of {cases}")
    return Report(case_counts, checks, findings)


def _schemathesis(url: str, cases: int, seed: int, events: Path, summary: Path) -> "subprocess.CompletedProcess[str]":
    examples = max(1, (cases - _COVERAGE_CASES) // _OPERATIONS)
    count = ["--max-examples", str(examples), "--seed", str(seed), "--continue-on-failure"]
    report_options = [
        "--report",
        "ndjson,json",
        "--report-ndjson-path",
        str(events),
        "--report-json-path",
        str(summary),
    ]
    output = ["--no-color", "--output-sanitize", "false", "--generation-database", "none"]
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", "tests/fuzz/schemathesis.toml"]
    # all checks are on unless the file says otherwise; "--checks all" would overrule what it says of single operations
    command += ["run", f"{url}/openapi.json", *count, *report_options, *output]
    env = os.environ | {"SCHEMATHESIS_HOOKS": "tests.fuzz.hooks", "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _count(events: Path) -> tuple[Counter[str], Counter[str]]:
    """Cases of each phase, and checks."""
    cases, checks = Counter[str](), Counter[str]()
    with events.open(encoding="utf-8") as lines:
        for line in lines:
            if scenario := json.loads(line).get("ScenarioFinished"):
                cases[scenario["phase"]] += len(scenario["recorder"].get("cases", {}))
                for case_checks in scenario["recorder"].get("checks", {}).values():
                    checks.update(check["name"] for check in case_checks)
    return cases, checks
