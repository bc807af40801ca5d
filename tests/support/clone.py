"""A copy of the sources to plant changes in, and to run the scripts of."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.support.platform import ROOT

FOLDERS = ("functions", "schemas", "deployment/databases", "deployment/functions", "pulsar-admin-scripts", "bff/static")
"""What the scripts that deploy need."""
EVERYTHING = (
    *("functions", "schemas", "deployment", "pulsar-admin-scripts", "bff", "tests", "docs"),
    *("pyproject.toml", "requirements.txt", "requirements.lock"),
)
"""What the checks and `new.py` need."""


class Clone:
    """A copy of some of the repository's files and folders, in the folder `root`."""

    def __init__(self, root: Path, names: Sequence[str] = FOLDERS) -> None:
        self.root = root
        for name in names:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "secrets"))
            else:
                shutil.copy2(ROOT / name, root)

    def schema(self, topic: str) -> Path:
        return self.root / "schemas" / f"{topic}.avsc"

    def release(self, topic: str, number: int) -> Path:
        return self.root / "schemas" / "releases" / topic / f"{number}.avsc"

    def edit(self, path: Path, change: Callable[[str], str]) -> None:
        before = path.read_text("utf-8")
        after = change(before)
        assert after != before
        path.write_text(after, "utf-8")

    def run(
        self, script: str, *arguments: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A script of pulsar-admin-scripts; standard output and errors apart."""
        command = [sys.executable, f"pulsar-admin-scripts/{script}", *arguments]
        return subprocess.run(command, cwd=self.root, env=env, capture_output=True, text=True, timeout=300, check=False)

    def add_command(self, topic: str) -> list[str]:
        """Lays out a new command topic, as `make new` does, in a copy of EVERYTHING; the paths of the files written."""
        process = self.run("new.py", topic)
        assert process.returncode == 0, process.stdout + process.stderr
        return process.stdout.partition("next: ")[0].splitlines()
