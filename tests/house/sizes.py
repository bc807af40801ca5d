"""Rule: a file that is longer than the limit says why in its first lines."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from tests.house.sources import Violation, files

MAX_LINES: Final = 200
FIRST_LINES: Final = 20
"""Where the reason must be."""

_REASON: Final = re.compile(rf"Longer than {MAX_LINES} lines: \S")


def violations(root: Path) -> Iterator[Violation]:
    """Each Python file over the limit that gives no reason."""
    for path in files(root, ".py"):
        lines = (root / path).read_text("utf-8").splitlines()
        if len(lines) > MAX_LINES and not any(map(_REASON.search, islice(lines, FIRST_LINES))):
            remedy = f'split it, or say "Longer than {MAX_LINES} lines: <why>" in its first {FIRST_LINES} lines'
            yield Violation(path, 1, f"{len(lines)} lines, at most {MAX_LINES} are allowed: {remedy}")
