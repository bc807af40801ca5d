"""Builds one package for each function: a zip with its code, the engine and the schemas. Same input, same bytes.

Layout, as the Python instance wants it: <function>.zip with <function>/src/{functions,schemas}. What the code
needs beside (requirements.lock) must be installed in the Python of the functions workers.
"""

import argparse
import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from functions.program.run import uninterrupted
from tools.cluster.repository import ROOT, function_configs

SHARED_ROOMS: Final = ("messages", "postgres", "pulsar_io", "telemetry", "engine")
"""The folders of functions/ that every package has, beside its context's: those that functions import, and no other."""
EARLIEST_DATE: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say: the same for every file, so that a package differs only if its content does."""


def files(config: dict[str, Any], all_configs: dict[str, dict[str, Any]]) -> Iterator[Path]:
    """The files that go into one function's package: SHARED_ROOMS, its context without other functions, the schemas."""
    other_modules = {_module_path(other) for other in all_configs.values()} - {_module_path(config)}
    context = _module_path(config).parent
    yield ROOT / "functions" / "__init__.py"
    for folder in (*(ROOT / "functions" / room for room in SHARED_ROOMS), context):
        yield from (path for path in folder.glob("*.py") if path not in other_modules)
    yield from (ROOT / "schemas").glob("*/*.avsc")


def build(name: str, all_configs: dict[str, dict[str, Any]], folder: Path) -> Path:
    """Writes <folder>/<name>.zip and returns its path. `all_configs`: as `function_configs` gives them."""
    target = folder / f"{name}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as package:
        for path in sorted(files(all_configs[name], all_configs)):
            zip_entry = zipfile.ZipInfo(f"{name}/src/{path.relative_to(ROOT)}", EARLIEST_DATE)
            zip_entry.external_attr = 0o644 << 16
            package.writestr(zip_entry, path.read_bytes())
    return target


def schemas(package: Path, topics: Iterable[str]) -> dict[str, Any]:
    """The schemas that a package has of these topics, <namespace>/<topic>."""
    with zipfile.ZipFile(package) as archive:
        return {topic: json.loads(archive.read(f"{package.stem}/src/schemas/{topic}.avsc")) for topic in topics}


def _module_path(config: dict[str, Any]) -> Path:
    return ROOT.joinpath(*config["className"].split(".")[:-1]).with_suffix(".py")


def main() -> int:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("folder", type=Path, help="where to write the packages; made if it is missing")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    all_configs = function_configs()
    for name in all_configs:
        with uninterrupted():
            path = build(name, all_configs, folder)
        print(path)
    return 0
