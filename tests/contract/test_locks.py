"""Every Python package is locked by version and hash, and whatever installs one asks for its hash."""

import re
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Final

import pytest
from packaging.utils import canonicalize_name

from tests.house.locks import packages, requirements, violations
from tests.support.manifests import DEPLOYMENT, DOCKERFILE, stages
from tests.support.plant import Plant
from tests.support.platform import ROOT

LOCKS: Final = [path.with_suffix(".lock") for path in sorted(ROOT.glob("[dt]*/**/requirements*.txt"))]
SHA: Final = f"--hash=sha256:{'0a' * 32}"
LOCK: Final = f"""\
# made
base==2 ; python_version < '3.12' \\
    {SHA}
    # via flask
base==3 ; python_version >= '3.12' \\
    {SHA} \\
    {SHA}
    # via flask
flask[async]==3.1 \\
    {SHA}
    # via
    #   -r tests/../requirements.txt
    #   other
tool==1 \\
    {SHA}
    # via -r tests/requirements.txt
"""


def planted(plant: Plant, lock: str = LOCK, base: str = "flask==3.1 # web\n", own: str = "tool<2\n") -> list[str]:
    plant("requirements.txt", base)
    plant("requirements.lock", "flask[async]==3.1 \\\n    " + SHA + "\n    # via -r requirements.txt\n")
    plant("tests/requirements.txt", f"# what tests need\n\n-r ../requirements.txt\n{own}")
    found = violations(plant("tests/requirements.lock", lock))
    return [f"{v.path}: {v.text}" for v in found if "tests/" in str(v)]


def test_a_lock_that_has_what_is_asked_for_passes(plant: Plant) -> None:
    assert planted(plant) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"base": "flask==3.2\n"}, "flask==3.2: tests/requirements.lock has flask[async]==3.1: run make lock"),
        ({"base": "flask[dotenv]==3.1\n"}, "flask[dotenv]==3.1: tests/requirements.lock has flask[async]==3.1"),
        ({"own": "tool<2\nnew==1\n"}, "new==1: tests/requirements.lock has none: run make lock"),
        ({"own": ""}, "tool==1: tests/requirements.txt does not ask for it any more"),
        ({"own": "tool>1\n"}, "tool>1: tests/requirements.lock has tool==1"),
        ({"lock": LOCK.replace(f"tool==1 \\\n    {SHA}\n", "tool==1\n")}, "tool==1: no version, or no hash"),
        ({"lock": LOCK.replace("tool==1", "tool")}, "tool: no version, or no hash"),
        ({"lock": "--index-url packages.example\n" + LOCK}, "--index-url packages.example: where"),
        ({"lock": "--trusted-host packages.example\n" + LOCK}, "--trusted-host packages.example: where"),
    ],
)
def test_a_lock_that_has_something_else_is_found(plant: Plant, change: dict[str, str], problem: str) -> None:
    assert any(problem in found for found in planted(plant, **change)), planted(plant, **change)


def test_requirements_without_a_lock_are_found(plant: Plant) -> None:
    (violation,) = violations(plant("deployment/requirements.txt", "flask==3.1\n"))
    assert violation.text == "has no deployment/requirements.lock: run make lock"


def test_what_is_deployed_is_what_is_tested() -> None:
    tested = {str(one.requirement) for one in packages((ROOT / "tests" / "requirements.lock").read_text("utf-8"))}
    for lock in [ROOT / "requirements.lock", *LOCKS]:
        assert {str(one.requirement) for one in packages(lock.read_text("utf-8"))} <= tested, lock


def test_the_locks_say_where_no_package_comes_from() -> None:
    for lock in [ROOT / "requirements.lock", *LOCKS]:
        assert not re.search(r"https?://|index-url|find-links", lock.read_text("utf-8")), lock


@pytest.mark.skipif(Path(sys.prefix) != ROOT / ".venv", reason="this Python is not the one that make installs into")
def test_nothing_is_installed_that_is_not_locked() -> None:
    locked = packages((ROOT / "tests" / "requirements.lock").read_text("utf-8"))
    names = {canonicalize_name(one.requirement.name) for one in locked}
    installed = {canonicalize_name(one.name): one.version for one in distributions()}
    assert installed.keys() - names <= {"pip"}
    versions = {canonicalize_name(o.requirement.name): o for o in locked if _applies(o.requirement.marker)}
    assert {
        n for n, o in versions.items() if n not in installed or installed[n] not in o.requirement.specifier
    } == set()


def _applies(marker: object) -> bool:
    return marker is None or bool(marker.evaluate())  # type: ignore[attr-defined]


@pytest.mark.parametrize("file", ["Makefile", "deployment/docker/Dockerfile", ".ci/run"])
def test_every_installation_asks_for_hashes_and_builds_with_what_is_locked(file: str) -> None:
    commands = re.findall(r"\bpip3? install\b.*", (ROOT / file).read_text("utf-8"))
    assert bool(commands) == (file != ".ci/run")
    for command in commands:
        assert "--require-hashes" in command
        assert "--no-build-isolation" in command or "requirements-build.lock" in command
        assert ".txt" not in command


def test_each_image_installs_a_lock_that_it_gets_after_what_builds_packages() -> None:
    (setuptools,) = packages((DEPLOYMENT / "requirements-build.lock").read_text("utf-8"))
    assert setuptools.requirement.name == "setuptools"
    for stage in stages().values():
        assert {"requirements.lock", "deployment/requirements-build.lock"} <= stage.copies.keys()
    installed = re.findall(r"-r /\S+/(\S+\.lock)", DOCKERFILE)
    assert installed == ["requirements-build.lock", "requirements.lock", "requirements.lock", *installed[:2]]


def test_the_functions_packages_that_users_named_are_asked_for() -> None:
    names = {one.name for _, _, one in requirements(ROOT, Path("requirements.txt"))}
    assert {"pulsar-client", "fastavro", "sqlalchemy", "pg8000", "flask"} <= names
