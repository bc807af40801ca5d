"""A copy of the checkout, in which a change is completed before anything of the checkout itself is touched."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from tools.errors import ToolError

SOURCES: Final = (
    *("functions", "schemas", "deployment", "pulsar-admin-scripts", "bff/static"),
    *("tests/support", "pyproject.toml"),
)
"""What the generators read and write, and what ruff must see to sort imports as it does in the checkout."""
NOT_SOURCES: Final = ("__pycache__", "generated", "secrets")
MADE: Final = ("build",)
"""Folders that generators make, and git ignores."""
GENERATORS: Final = (("schemas.py", "release"), ("catalogue.py",), ("dashboards.py",))
"""The scripts that make files from schemas and functions, in their order."""


class Workspace:
    """A copy of what matters of the checkout `root`, in an empty folder `copy`."""

    def __init__(self, root: Path, copy: Path) -> None:
        self.root, self.copy = root, copy
        for name in SOURCES:
            source, target = root / name, copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns(*NOT_SOURCES))
            elif source.exists():
                shutil.copy2(source, target)

    def add(self, files: Mapping[Path, str]) -> None:
        """Writes files, relative to the copy's root, and formats those that are Python."""
        for path, text in files.items():
            (self.copy / path).parent.mkdir(parents=True, exist_ok=True)
            (self.copy / path).write_text(text, "utf-8")
        modules = [str(path) for path in files if path.suffix == ".py"]
        self._run("-m", "ruff", "format", "--quiet", *modules)
        self._run("-m", "ruff", "check", "--quiet", "--select", "I", "--fix", *modules)

    def generate(self) -> None:
        """Makes anew what follows from the sources: releases, the catalogue, dashboards."""
        for script, *arguments in GENERATORS:
            self._run(f"pulsar-admin-scripts/{script}", *arguments)

    def changes(self) -> dict[Path, bytes]:
        """The files that differ from the checkout's, or are not there, by their paths relative to it."""
        changed = {}
        for path in sorted(self.copy.rglob("*")):
            relative = path.relative_to(self.copy)
            if path.is_file() and not _is_made(relative):
                original, content = self.root / relative, path.read_bytes()
                if not original.exists() or original.read_bytes() != content:
                    changed[relative] = content
        return changed

    def _run(self, *arguments: str) -> None:
        process = subprocess.run(
            [sys.executable, *arguments], cwd=self.copy, capture_output=True, text=True, check=False
        )
        if process.returncode:
            output = f"{process.stdout}{process.stderr}".strip()
            raise ToolError(f"{' '.join(arguments)} failed, nothing was changed:\n{output}")


def write(root: Path, files: Mapping[Path, bytes]) -> None:
    """Writes all files, or none: if one can't be written, those before it are put back as they were."""
    before = {path: (root / path).read_bytes() if (root / path).is_file() else None for path in files}
    try:
        for path, content in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)
    except BaseException as error:
        for path, original in before.items():
            _put_back(root / path, original)
        if isinstance(error, OSError):
            raise ToolError(f"nothing was changed: {error}") from error
        raise


def _put_back(path: Path, content: bytes | None) -> None:
    with suppress(OSError):  # whatever made writing fail may still be so
        if content is None:
            path.unlink(missing_ok=True)
        else:
            path.write_bytes(content)


def _is_made(path: Path) -> bool:
    """True for what programs leave behind in a copy."""
    return path.parts[0] in MADE or any(part.startswith(".") or part in NOT_SOURCES for part in path.parts)
