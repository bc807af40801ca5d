"""The schemas in the repository: today's, and every version that was released, with samples of its messages.

schemas/<namespace>/<topic>.avsc                              today's
schemas/releases/<namespace>/<topic>/<version>.avsc           as released
schemas/releases/<namespace>/<topic>/<version>.golden.json    messages in its bytes, that functions must read for ever
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from functions.messages.topics import full_name
from tools.cluster.repository import ROOT, function_configs

SCHEMAS: Final = ROOT / "schemas"
RELEASES: Final = SCHEMAS / "releases"


def topics() -> list[str]:
    """<namespace>/<topic> of every schema."""
    return [str(path.relative_to(SCHEMAS).with_suffix("")) for path in sorted(SCHEMAS.glob("*/*.avsc"))]


def file(topic: str) -> Path:
    """Where today's schema of a topic, <namespace>/<topic>, is or would be."""
    return SCHEMAS / f"{topic}.avsc"


def released_files(topic: str, number: int) -> tuple[Path, Path]:
    """Where the schema and the samples of a released version are or would be."""
    return RELEASES / topic / f"{number}.avsc", RELEASES / topic / f"{number}.golden.json"


def read(path: Path) -> Any:
    """The JSON in a file; ValueError, with the file's name, if it is no JSON, and OSError if it can't be read."""
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{relative_path(path)} is no JSON: {error}") from error


def current(topic: str) -> Any:
    """Today's schema of a topic."""
    return read(file(topic))


def released(topic: str) -> dict[int, Any]:
    """The released versions of a topic's schema, by their numbers, oldest first."""
    paths = sorted((RELEASES / topic).glob("*.avsc"), key=lambda path: int(path.stem))
    return {int(path.stem): read(path) for path in paths}


def version(definition: Any) -> int | None:
    """The version that a schema says in its attribute `version`, as a number; None if it says none.

    It is ours: the broker's registry counts the versions of a topic by itself, from 0.
    """
    number = str(definition.get("version"))
    return int(number) if number.isascii() and number.isdigit() and number[0] != "0" else None


def readers(topic: str) -> list[str]:
    """The names of the functions that read a topic."""
    return [config["name"] for config in function_configs().values() if full_name(topic) in config["inputSpecs"]]


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def relative_path(path: Path) -> str:
    """The path within the repository, as people name it."""
    return str(path.relative_to(ROOT))
