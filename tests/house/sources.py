"""What every rule of the house needs: the repository's files, and what a violation is."""

import ast
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NOT_OURS: Final = frozenset({"__pycache__", "build", "generated", "node_modules", "secrets"})
"""Folders that hold nothing that people wrote; hidden folders don't either."""


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """One breach of one rule: the file relative to the root, the line from 1, and what is wrong and what to do."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def files(root: Path, suffix: str) -> list[Path]:
    """The files with that suffix that people wrote, relative to `root`, sorted."""
    paths: list[Path] = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in NOT_OURS and not name.startswith(".")]
        paths += [Path(folder, name).relative_to(root) for name in names if name.endswith(suffix)]
    return sorted(paths)


def parse(root: Path, path: Path) -> ast.Module:
    """The syntax tree of one of the files."""
    return ast.parse((root / path).read_text("utf-8"), str(path))
