"""Builds a release of the commit that is checked out, in build/release; the same commit gives the same bytes.

  poc-monoliticas-VERSION.tar.gz    the sources, with the locks and all that images are built from
  functions/NAME.zip                one package for each function
  sbom/NAME.cdx.json                CycloneDX: every Python package that NAME installs, with its hashes
  SHA256SUMS                        of all of these, for `sha256sum --check`

The VERSION is the newest tag with the commits since, or the commit. Needs git, and no network.
Exit codes: 0; 1 there are changes that are not committed, or a part could not be built.
"""

from functions.program.run import run

if __name__ == "__main__":
    run("deployment.release.__main__")  # loads it under its own name, and never returns

import argparse
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

ROOT: Final = Path(__file__).parents[2]
LOCKS: Final = {"functions-and-bff": "requirements.lock", "tools": "deployment/requirements.lock"}
"""What is deployed, by the name of its SBOM, and the lock that it is installed from."""


class ReleaseError(Exception):
    """The release can't be built. The text says why and what to do."""


def build(root: Path, target: Path) -> list[Path]:
    """Builds the release of a checkout into a folder that is emptied first; the files, relative to it, sorted."""
    if changed := _run(root, "git", "status", "--porcelain"):
        raise ReleaseError(f"a release is of one commit: commit or stash what is changed:\n{changed}")
    version = _run(root, "git", "describe", "--tags", "--always")
    shutil.rmtree(target, ignore_errors=True)
    (target / "sbom").mkdir(parents=True)
    name = f"poc-monoliticas-{version}"
    _run(root, "git", "archive", f"--prefix={name}/", f"--output={target / name}.tar.gz", "HEAD")
    _run(root, sys.executable, "pulsar-admin-scripts/package.py", str(target / "functions"))
    for component, lock in LOCKS.items():
        write_sbom(root / lock, target / "sbom" / f"{component}.cdx.json", version)
    files = sorted(path.relative_to(target) for path in target.rglob("*") if path.is_file())
    sums = [f"{hashlib.sha256((target / file).read_bytes()).hexdigest()}  {file}\n" for file in files]
    (target / "SHA256SUMS").write_text("".join(sums), "utf-8")
    return files


def write_sbom(lock: Path, target: Path, version: str) -> None:
    """Writes which packages a lock installs, as CycloneDX 1.6. `version`: of this project.

    The tests validate it: that takes seconds, and depends only on the library's version.
    """
    with TemporaryDirectory() as folder:
        project = Path(folder, "pyproject.toml")
        project.write_text(
            f'[project]\nname = "poc-monoliticas-{target.name.partition(".")[0]}"\nversion = "{version}"\n', "utf-8"
        )
        command = [sys.executable, "-m", "cyclonedx_py", "requirements", "--sv", "1.6", "--no-validate"]
        _run(
            lock.parent,
            *command,
            "--output-reproducible",
            "--pyproject",
            str(project),
            "--output-file",
            str(target),
            lock.name,
        )


def _run(folder: Path, *command: str) -> str:
    try:
        completed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    except OSError as error:
        raise ReleaseError(f"{command[0]}: {error.strerror}") from error
    except subprocess.CalledProcessError as error:
        raise ReleaseError(f"{' '.join(command[:3])} failed: {error.stderr.strip()}") from error
    return completed.stdout.strip()


def main() -> None:
    formatter = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser("python -m deployment.release", description=__doc__, formatter_class=formatter).parse_args()
    target = ROOT / "build" / "release"
    try:
        files = build(ROOT, target)
    except ReleaseError as error:
        sys.exit(f"error: {error}")
    print(f"{len(files)} files and their SHA256SUMS are in {target}")
