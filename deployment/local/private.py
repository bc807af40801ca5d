"""Files that only their owner reads: passwords, keys, tokens."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def write(path: Path, content: str | bytes, owner: str | None = None) -> None:
    """Writes a file for its owner only, this user or the one named; whoever reads it finds the old or the new one."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    if owner:
        shutil.chown(new, owner, owner)
    new.replace(path)
