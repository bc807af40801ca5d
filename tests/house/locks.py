"""Rule: each requirements*.txt has a lock beside it: exactly what it asks for, all by version and hash."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.sources import Violation, files

REMEDY: Final = "run make lock"
_HASH: Final = re.compile(r" \\\n +--hash=sha256:[0-9a-f]{64}")
_ENTRY: Final = re.compile(
    rf"^(?P<what>[A-Za-z0-9].*?)(?P<hashes>(?:{_HASH.pattern})*)\n(?P<why>(?: +#.*\n)*)", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Locked:
    """A package of a lock, and the paths of the requirements*.txt that ask for it by name."""

    requirement: Requirement
    hashed: bool
    asked_by: frozenset[Path]


def violations(root: Path) -> Iterator[Violation]:
    """Each requirement that its lock has otherwise or not at all, and whatever else is wrong in a lock."""
    for path in (path for path in files(root, ".txt") if path.name.startswith("requirements")):
        lock = path.with_suffix(".lock")
        if not (root / lock).exists():
            yield Violation(path, 1, f"has no {lock}: {REMEDY}")
            continue
        text = (root / lock).read_text("utf-8")
        for number, line in enumerate(text.splitlines(), 1):
            if line.startswith("-"):
                yield Violation(lock, number, f"{line}: where packages come from is said by whoever installs them")
        yield from _differences(root, path, lock, packages(text))


def packages(text: str) -> list[Locked]:
    """What a lock has; a package that depends on the Python that it is for has several versions."""
    return [
        Locked(
            Requirement(found["what"]),
            bool(found["hashes"]),
            frozenset(Path(normpath(file)) for file in re.findall(r"-r (\S+)", found["why"])),
        )
        for found in _ENTRY.finditer(text)
    ]


def requirements(root: Path, path: Path) -> Iterator[tuple[Path, int, Requirement]]:
    """What a requirements*.txt asks for, with file and line; also those that it includes."""
    for number, line in enumerate((root / path).read_text("utf-8").splitlines(), 1):
        text = line.partition(" #")[0].strip()
        if text.startswith("-r "):
            yield from requirements(root, Path(normpath(path.parent / text[3:].strip())))
        elif text and not text.startswith("#"):
            yield path, number, Requirement(text)


def _differences(root: Path, path: Path, lock: Path, locked: list[Locked]) -> Iterator[Violation]:
    wanted = {(file, _name(one)): number for file, number, one in requirements(root, path)}
    for file, number, one in requirements(root, path):
        same = [found for found in locked if file in found.asked_by and _name(found.requirement) == _name(one)]
        if not same or not all(_fulfils(found.requirement, one) for found in same):
            present = ", ".join(str(found.requirement) for found in same) or "none"
            yield Violation(file, number, f"{one}: {lock} has {present}: {REMEDY}")
    for found in locked:
        if not found.hashed or [one.operator for one in found.requirement.specifier] != ["=="]:
            yield Violation(lock, 1, f"{found.requirement}: no version, or no hash: {REMEDY}")
        for file in found.asked_by:
            if (file, _name(found.requirement)) not in wanted:
                yield Violation(lock, 1, f"{found.requirement}: {file} does not ask for it any more: {REMEDY}")


def _name(requirement: Requirement) -> str:
    return canonicalize_name(requirement.name)


def _fulfils(found: Requirement, wanted: Requirement) -> bool:
    versions = [one.version for one in found.specifier]
    return found.extras >= wanted.extras and all(wanted.specifier.contains(v, prereleases=True) for v in versions)
