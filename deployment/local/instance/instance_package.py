"""A function's package (.py, .zip, .whl) → importable code, and classes by their dotted name."""

import importlib
import logging
import subprocess
import sys
import zipfile
from argparse import Namespace
from pathlib import Path
from typing import Any

from pulsar.functions import serde

LOG = logging.getLogger()
IDENTITY = "serde.IdentitySerDe"


def unpack(args: Namespace) -> None:
    """Make the code of `args.py` importable; a .py needs nothing: its folder is added by `load`."""
    package = Path(args.py)
    if package.suffix == ".whl":
        _unpack_wheel(package, args)
    elif package.suffix == ".zip":
        _unpack_zip(package)


def _unpack_wheel(wheel: Path, args: Namespace) -> None:
    folder = wheel.resolve().parent
    if args.install_usercode_dependencies:
        command = ["-t", str(folder)]
        if args.dependency_repository:
            command += ["-i", args.dependency_repository]
        if args.extra_dependency_repository:
            command += ["--extra-index-url", args.extra_dependency_repository]
        _pip(*command, str(wheel))
    else:
        zipfile.ZipFile(wheel).extractall(folder)
    sys.path.insert(0, str(folder))


def _unpack_zip(package: Path) -> None:
    """The top folder has the name of the file: NAME/src, NAME/deps/*.whl, NAME/requirements.txt."""
    folder = package.resolve().parent
    zipfile.ZipFile(package).extractall(folder)
    top = folder / package.stem
    if (top / "requirements.txt").is_file():
        _pip("-r", str(top / "requirements.txt"))
    wheels = sorted(str(wheel) for wheel in (top / "deps").glob("*.whl"))
    if wheels:
        _pip("-t", str(folder), "--no-index", "--find-links", str(top / "deps"), *wheels)
    sys.path.insert(0, str(top / "src"))


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", *arguments]
    LOG.info("Installing dependencies: %s", " ".join(command))
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stdout}{done.stderr}")


def load(folder: str, name: str) -> Any:
    """The class (`module.Class`) or module (`module`) called `name`; `folder` is put on the path."""
    if folder not in sys.path:
        sys.path.insert(0, folder)
    module_name, _, attribute = name.rpartition(".")
    if not module_name:
        return importlib.import_module(attribute)
    # Functions name the built-in SerDes without their package.
    module = serde if module_name == "serde" else importlib.import_module(module_name)
    return getattr(module, attribute)
