"""`make new` in a copy of the repository: what it lays out passes every check, and what it refuses changes nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import docstrings, names, sizes, topics
from tests.support.clone import EVERYTHING, Clone
from tests.support.platform import ROOT

TOPICS = (
    "ordenes/comando-archivar-orden",
    "productos/comando-archivar-producto",
    "conductores/comando-confirmar-entrega",
)
TESTS = [
    "tests/unit/functions/ordenes/test_archivar_orden.py",
    "tests/unit/functions/productos/test_archivar_producto.py",
    "tests/unit/functions/conductores/test_confirmar_entrega.py",
]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, npm: Path) -> Clone:
    """A copy with a new command in each context."""
    clone = Clone(tmp_path_factory.mktemp("new"), EVERYTHING)
    for topic in TOPICS:
        clone.add_command(topic)
    return clone


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A copy that nothing may change."""
    return Clone(tmp_path_factory.mktemp("untouched"), EVERYTHING)


def run(clone: Clone, *command: str) -> subprocess.CompletedProcess[str]:
    """A Python module, run in the copy."""
    env = os.environ | {"PYTHONPATH": "pulsar-admin-scripts", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=clone.root, env=env, capture_output=True, text=True, check=False
    )


def content(clone: Clone) -> dict[Path, bytes]:
    return {p: p.read_bytes() for p in clone.root.rglob("*") if p.is_file() and "__pycache__" not in p.parts}


def violations(root: Path) -> set[tuple[Path, str]]:
    """What the house finds in a tree, without line numbers, which a change shifts."""
    rules = (names, sizes, docstrings, topics)
    return {(violation.path, violation.text) for rule in rules for violation in rule.violations(root)}


def test_the_tests_of_the_decisions_pass(clone: Clone) -> None:
    process = run(clone, "pytest", "-q", "-p", "no:cacheprovider", *TESTS)
    assert "6 passed" in process.stdout, process.stdout + process.stderr


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("return orden, []", "return orden, [orden]"), ("if orden is None", "if False"), ("id_orden is", "no order")],
)
def test_the_test_of_a_decision_fails_if_the_decision_is_wrong(clone: Clone, right: str, wrong: str) -> None:
    decisions = clone.root / "functions/ordenes/decisions.py"
    original = decisions.read_text("utf-8")
    before, name, after = original.partition("def archivar_orden")
    assert right in after
    decisions.write_text(before + name + after.replace(right, wrong, 1), "utf-8")
    try:
        process = run(clone, "pytest", "-q", "-p", "no:cacheprovider", TESTS[0])
    finally:
        decisions.write_text(original, "utf-8")
    assert process.returncode == 1, process.stdout


def test_what_is_generated_is_fresh_and_the_schemas_are_on_record(clone: Clone) -> None:
    for script, argument in (("catalogue.py", "--check"), ("dashboards.py", "--check"), ("schemas.py", "check")):
        process = clone.run(script, argument)
        assert (process.returncode, process.stderr) == (0, "")


def test_linters_and_type_checker_pass(clone: Clone) -> None:
    changed = ["functions", *TESTS]
    for command in (
        ("ruff", "check", "--no-cache", *changed),
        ("ruff", "format", "--no-cache", "--check", *changed),
        ("mypy", "--cache-dir", str(ROOT / ".mypy_cache"), *changed),
    ):
        process = run(clone, *command)
        assert process.returncode == 0, process.stdout + process.stderr


def test_imports_stay_on_their_floors(clone: Clone) -> None:
    program = str(Path(sys.executable).with_name("lint-imports"))
    env = os.environ | {"PYTHONPATH": "pulsar-admin-scripts"}
    process = subprocess.run(
        [program, "--no-cache"], cwd=clone.root, env=env, capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stdout + process.stderr


def test_the_house_is_kept(clone: Clone) -> None:
    assert violations(clone.root) <= violations(ROOT)


def test_golden_messages_and_schemas_pass_their_tests(clone: Clone) -> None:
    modules = [f"tests/contract/{name}.py" for name in ("test_golden", "test_schemas")]
    process = run(clone, "pytest", "-q", "-p", "no:cacheprovider", *modules)
    assert process.returncode == 0, process.stdout + process.stderr


def test_the_second_time_nothing_is_changed(clone: Clone) -> None:
    before = content(clone)
    process = clone.run("new.py", TOPICS[0])
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr == f"error: the topic {TOPICS[0]} exists: schemas/{TOPICS[0]}.avsc\n"
    assert content(clone) == before


@pytest.mark.parametrize("arguments", [[], ["ordenes"], ["pagos/comando-x"], ["ordenes/comando-crear"], ["a/b", "c/d"]])
def test_what_is_refused_changes_nothing(untouched: Clone, arguments: list[str]) -> None:
    before = content(untouched)
    process = untouched.run("new.py", *arguments)
    assert process.returncode in (1, 2)
    assert "error: " in process.stderr
    assert "Traceback" not in process.stderr
    assert content(untouched) == before


def test_a_generator_that_fails_changes_nothing(untouched: Clone) -> None:
    dashboards = untouched.root / "pulsar-admin-scripts/dashboards.py"
    original = dashboards.read_text("utf-8")
    dashboards.write_text("raise SystemExit('planted')\n", "utf-8")
    before = content(untouched)
    process = untouched.run("new.py", "ordenes/comando-archivar-orden")
    assert content(untouched) == before
    dashboards.write_text(original, "utf-8")
    assert (process.returncode, process.stdout) == (1, "")
    assert "dashboards.py failed, nothing was changed:\nplanted" in process.stderr


def test_the_help_says_what_is_laid_out(untouched: Clone) -> None:
    process = untouched.run("new.py", "--help")
    assert process.returncode == 0
    assert "tests/unit/functions/<context>/test_x.py" in process.stdout
