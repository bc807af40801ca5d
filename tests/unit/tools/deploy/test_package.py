"""A package has what its function imports, and nothing that no function needs."""

import json
import os
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tools.cluster.repository import ROOT, function_configs
from tools.deploy.package import SHARED_ROOMS, build, files

CONFIGS = function_configs()
IMPORT = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
module, _, name = sys.argv[2].rpartition(".")
getattr(importlib.import_module(module), name)
print(json.dumps({name: module.__file__ for name, module in sys.modules.items() if name.split(".")[0] == "functions"}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("packages")


@cache
def imported(name: str, folder: Path) -> dict[str, str]:
    """Our modules that a function's class brings along, imported from its unpacked package alone, and their files."""
    with zipfile.ZipFile(build(name, CONFIGS, folder)) as archive:
        archive.extractall(folder)
    source = str(folder / name / "src")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    command = [sys.executable, "-P", "-c", IMPORT, source, CONFIGS[name]["className"]]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    modules: dict[str, str] = json.loads(done.stdout)
    assert all(file.startswith(source) for file in modules.values()), modules
    return modules


@pytest.mark.parametrize("name", CONFIGS)
def test_a_function_can_be_imported_from_its_package_alone(name: str, folder: Path) -> None:
    assert CONFIGS[name]["className"].rpartition(".")[0] in imported(name, folder)


def test_the_shared_rooms_are_those_that_functions_import(folder: Path) -> None:
    contexts = {config["className"].split(".")[1] for config in CONFIGS.values()}
    rooms = {module.split(".")[1] for name in CONFIGS for module in imported(name, folder) if "." in module}
    assert rooms - contexts == set(SHARED_ROOMS)


def test_a_package_has_no_module_that_no_function_imports(folder: Path) -> None:
    packaged = {path for config in CONFIGS.values() for path in files(config, CONFIGS) if path.suffix == ".py"}
    needed = {module for name in CONFIGS for module in imported(name, folder)}
    assert {_module(path) for path in packaged} - needed == set()


def test_a_package_has_no_other_function_and_all_schemas(folder: Path) -> None:
    for name, config in CONFIGS.items():
        packaged = {path.relative_to(ROOT) for path in files(config, CONFIGS)}
        functions = {path for path in packaged if path in {_class_file(other) for other in CONFIGS.values()}}
        assert functions == {_class_file(config)}, name
        assert {path for path in packaged if path.suffix == ".avsc"} == {
            path.relative_to(ROOT) for path in (ROOT / "schemas").glob("*/*.avsc")
        }


def test_the_same_sources_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = (build("crear-orden", CONFIGS, _made(tmp_path / part)) for part in ("one", "two"))
    assert first.read_bytes() == second.read_bytes()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _class_file(config: dict[str, Any]) -> Path:
    return Path(*config["className"].split(".")[:-1]).with_suffix(".py")


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
