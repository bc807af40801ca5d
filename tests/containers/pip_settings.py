"""This machine's settings of pip, for pip in a build: where packages come from is said nowhere else."""

import ast
import subprocess
import sys
from pathlib import Path

from tests.containers.errors import ContainersError


def listed() -> dict[str, str]:
    """What pip was told here by files and environment, such as `index-url` and `cert`; the environment wins."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise ContainersError(f"{' '.join(command)} failed: {result.stderr}")
    return parse(result.stdout)


def parse(text: str) -> dict[str, str]:
    """What `pip config list` prints: settings for all commands, and for `install`."""
    sections: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in text.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in sections:
            sections[section][name] = str(ast.literal_eval(value))
    return sections["global"] | sections["install"] | sections[":env:"]


def mounts(settings: dict[str, str], folder: Path) -> list[str]:
    """Options of `podman build` that mount the settings as pip's file for all users, and the files and folders that
    they name. The file is written into `folder`.
    """
    file = folder / "pip.conf"
    indented = {name: value.replace("\n", "\n    ") for name, value in settings.items()}
    file.write_text("[global]\n" + "".join(f"{name} = {value}\n" for name, value in indented.items()), "utf-8")
    named = sorted({part for value in settings.values() for part in value.split() if _is_mountable(part)})
    pairs = [f"{file}:/etc/pip.conf:ro", *(f"{path}:{path}:ro" for path in named)]
    return [f"--volume={pair}" for pair in pairs]


def _is_mountable(part: str) -> bool:
    return part.startswith("/") and ":" not in part and Path(part).exists()
