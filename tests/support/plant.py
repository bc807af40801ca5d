"""Files planted in an empty folder, for checks that should find what is wrong in them."""

import textwrap
from collections.abc import Callable
from pathlib import Path

Plant = Callable[[str, str], Path]
"""Writes a text, whose common indentation goes, into the file of that relative path; the folder of all files."""


def planting(root: Path) -> Plant:
    """Plants into the folder `root`."""

    def plant(path: str, text: str) -> Path:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(textwrap.dedent(text), "utf-8")
        return root

    return plant
