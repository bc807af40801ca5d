"""A release of a commit, its SBOM and checksums; and what is said of known vulnerabilities."""

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from tools.cluster.repository import function_configs

from deployment.release.__main__ import LOCKS, write_sbom
from deployment.release.audit import report
from tests.house.locks import packages
from tests.support.platform import ROOT

NOT_COPIED = shutil.ignore_patterns(
    ".git", ".venv", ".data", "build", "__pycache__", ".*_cache", "generated", "secrets"
)


def git(folder: Path, *arguments: str) -> None:
    options = ["-c", "user.name=Ana", "-c", "user.email=ana@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *options, *arguments], cwd=folder, check=True, capture_output=True)


def release(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deployment.release"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A commit of these sources, with the tag v1."""
    folder = tmp_path_factory.mktemp("release") / "checkout"
    shutil.copytree(ROOT, folder, ignore=NOT_COPIED)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "All")
    git(folder, "tag", "v1")
    return folder


def test_a_release_has_sources_packages_sboms_and_checksums_and_the_same_bytes_each_time(checkout: Path) -> None:
    target = checkout / "build" / "release"
    completed = release(checkout)
    assert completed.returncode == 0, completed.stderr
    files = content(target)
    packages_of_functions = {f"functions/{name}.zip" for name in function_configs()}
    sboms = {f"sbom/{name}.cdx.json" for name in LOCKS}
    assert files.keys() == packages_of_functions | sboms | {"poc-monoliticas-v1.tar.gz", "SHA256SUMS"}
    sums = [f"{hashlib.sha256(files[name]).hexdigest()}  {name}" for name in sorted(files) if name != "SHA256SUMS"]
    assert files["SHA256SUMS"].decode().splitlines() == sums
    with tarfile.open(target / "poc-monoliticas-v1.tar.gz") as archive:
        assert "poc-monoliticas-v1/requirements.lock" in archive.getnames()
    (target / "left-over").write_text("of an earlier release")
    assert release(checkout).returncode == 0
    assert content(target) == files


def test_an_sbom_is_valid(tmp_path: Path) -> None:
    write_sbom(ROOT / "requirements.lock", tmp_path / "sbom.cdx.json", "v1")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str((tmp_path / "sbom.cdx.json").read_text("utf-8")) is None


@pytest.mark.parametrize(("name", "lock"), LOCKS.items())
def test_an_sbom_has_every_locked_package_with_its_hashes(checkout: Path, name: str, lock: str) -> None:
    if not (checkout / "build" / "release").exists():
        assert release(checkout).returncode == 0
    sbom = json.loads((checkout / "build" / "release" / "sbom" / f"{name}.cdx.json").read_text("utf-8"))
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.6")
    assert sbom["metadata"]["component"]["version"] == "v1"
    locked = packages((ROOT / lock).read_text("utf-8"))
    found = {(c["name"], f"=={c['version']}") for c in sbom["components"]}
    assert found == {(one.requirement.name, str(one.requirement.specifier)) for one in locked}
    assert all(c["externalReferences"][0]["hashes"] for c in sbom["components"])


def test_what_is_not_committed_is_in_no_release(checkout: Path) -> None:
    (checkout / "new.txt").write_text("new")
    try:
        completed = release(checkout)
    finally:
        (checkout / "new.txt").unlink()
    assert completed.returncode == 1
    assert completed.stderr == "error: a release is of one commit: commit or stash what is changed:\n?? new.txt\n"


def answer(*dependencies: Mapping[str, object]) -> str:
    return json.dumps({"dependencies": dependencies, "fixes": []})


CLEAN = {"name": "flask", "version": "3.1.3", "vulns": []}
UNKNOWN = {"name": "granian", "skip_reason": "Dependency not found"}
BAD = {
    "name": "jinja2",
    "version": "3.1.0",
    "vulns": [{"id": "CVE-1", "fix_versions": ["3.1.6"]}, {"id": "CVE-2", "fix_versions": []}],
}


@pytest.mark.parametrize(
    ("stdout", "stderr", "code", "text"),
    [
        (answer(CLEAN), "", 0, "0 known vulnerabilities, of 1 packages:"),
        (answer(CLEAN, BAD), "Found 2", 1, "jinja2 3.1.0: CVE-1, fixed in 3.1.6\n  jinja2 3.1.0: CVE-2, fixed in no"),
        (answer(BAD, UNKNOWN), "", 1, "NOT SCANNED for vulnerabilities, 1 packages: granian"),
        (
            answer(UNKNOWN),
            "No known vulnerabilities found",
            0,
            "NOT SCANNED for vulnerabilities: the advisories have none",
        ),
        (
            "",
            "…\nrequests.exceptions.ConnectionError: Failed to resolve",
            0,
            "NOT SCANNED for vulnerabilities: the adv",
        ),
        ("", "requests.exceptions.ReadTimeout: timed out", 0, "NOT SCANNED for vulnerabilities: the advisories can't"),
        ("", "ERROR:pip_audit._cli:invalid requirements", 1, "error: pip-audit: ERROR:pip_audit._cli:invalid require"),
        ("", "", 1, "error: pip-audit: pip-audit ended with 7 and said nothing"),
    ],
)
def test_only_vulnerabilities_and_errors_fail_and_what_was_not_scanned_is_said(
    stdout: str, stderr: str, code: int, text: str
) -> None:
    found, said = report(7, stdout, stderr)
    assert found == code
    assert text in said
