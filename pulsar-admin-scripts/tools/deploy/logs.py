"""The instances' logs, if they can be read: FUNCTIONS_LOGS is the folder `functions` in the workers' log folder."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from functions.messages.topics import TENANT

_TRACEBACK: Final = re.compile(r"^.*\n?Traceback \(most recent call last\):\n(?:(?!\[?\d{4}-).*\n?)*", re.MULTILINE)
"""A traceback, with the line before it, up to the next line that begins with a time."""


class Logs:
    """What the instances of these functions write to their logs from now on; nothing without FUNCTIONS_LOGS."""

    def __init__(self, configs: Iterable[Mapping[str, Any]]) -> None:
        base = os.environ.get("FUNCTIONS_LOGS")
        self._folders = {
            config["name"]: Path(base, TENANT, config["namespace"], config["name"]) for config in configs if base
        }
        self._offsets = {path: path.stat().st_size for name in self._folders for path in self._files(name)}

    def traceback(self, name: str) -> str:
        """The last traceback that a function's instances have written; empty if there is none."""
        tracebacks = [traceback for path in self._files(name) for traceback in _TRACEBACK.findall(self._new_text(path))]
        return tracebacks[-1].strip() if tracebacks else ""

    def _files(self, name: str) -> list[Path]:
        return sorted(self._folders[name].glob("*.log")) if name in self._folders else []

    def _new_text(self, path: Path) -> str:
        since = self._offsets.get(path, 0)
        raw = path.read_bytes()
        return raw[since if since <= len(raw) else 0 :].decode(errors="replace")  # shorter: a new file, rotated
