"""The pinned jars: downloaded in parallel, checked by sha256, cached outside the checkout."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deployment.local.errors import PlatformError
from functions.program.threads import map_in_threads

LIST = Path(__file__).with_name("jars.txt")
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Jar:
    group: str
    artifact: str
    version: str
    classifier: str
    sha256: str

    @property
    def file(self) -> str:
        return "-".join(filter(None, (self.artifact, self.version, self.classifier))) + ".jar"


Fetch = Callable[[Jar], Path]


def cache() -> Path:
    """Where this machine keeps what was downloaded and built, for all checkouts."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "poc-monoliticas"
    if ":" in str(folder):
        raise PlatformError(f"{folder} has a colon, which no class path of Java can have: set XDG_CACHE_HOME")
    return folder


def folder() -> Path:
    """Where the class path lies: nothing but the listed jars, and the stamp."""
    return cache() / "pulsar-4.0.7"


def read_list(text: str) -> list[Jar]:
    """Lines of "group:artifact:version[:classifier]  sha256"; # begins a comment."""
    jars = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        coordinate, _, sha256 = line.partition(" ")
        parts = coordinate.split(":")
        if len(parts) not in (3, 4) or len(sha256.strip()) != 64:
            raise PlatformError(f"jars.txt, line {number}: not a coordinate and its sha256: {line!r}")
        jars.append(Jar(parts[0], parts[1], parts[2], (parts[3:] or [""])[0], sha256.strip()))
    return jars


def ensure(fetch: Fetch | None = None, text: str | None = None, target: Path | None = None) -> Path:
    """The folder with every listed jar. Once complete it costs a look at a stamp, and no network."""
    text, target = text if text is not None else LIST.read_text(), target or folder()
    jars = read_list(text)
    stamp, content = target / ".complete", hashlib.sha256(text.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == content and all((target / jar.file).exists() for jar in jars):
        return target
    target.mkdir(parents=True, exist_ok=True)
    for stray in {path.name for path in target.iterdir()} - {jar.file for jar in jars}:
        (target / stray).unlink()
    _obtain_all(jars, target, fetch or _downloader())
    stamp.write_text(content)
    return target


def _obtain_all(jars: list[Jar], target: Path, fetch: Fetch) -> None:
    try:
        map_in_threads(8, lambda jar: obtain(jar, target, fetch), jars, _progress)
    except PlatformError as problem:
        here = sum((target / jar.file).exists() for jar in jars)
        raise PlatformError(
            f"{problem}\n{here} of {len(jars)} jars are already in {target}; "
            "check the network and run the same command again, it goes on from there"
        ) from problem


def obtain(jar: Jar, target: Path, fetch: Fetch) -> None:
    """Puts one jar into the folder, unless it lies there already and is right."""
    place = target / jar.file
    if place.exists() and _sha256(place) == jar.sha256:
        return
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            got = fetch(jar)
            if (found := _sha256(got)) == jar.sha256:
                got.replace(place)
                return
            got.unlink()
            reason = f"its sha256 is {found}, not {jar.sha256}"
        except (OSError, RuntimeError) as problem:
            reason = f"{type(problem).__name__}: {problem}"
    raise PlatformError(f"could not get {jar.group}:{jar.artifact}:{jar.version}: {reason}")


def _downloader() -> Fetch:
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=cache() / "downloads")

    def fetch(jar: Jar) -> Path:
        component = context.project(jar.group, jar.artifact).at_version(jar.version)
        return Path(component.artifact(classifier=jar.classifier, packaging="jar").resolve())

    return fetch


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _progress(done: int, total: int) -> None:
    if sys.stdout.isatty():
        print(f"\r  jars {done}/{total}", end="" if done < total else "\n", flush=True)
    elif done * 10 // total != (done - 1) * 10 // total:
        print(f"  jars {done}/{total}", flush=True)
