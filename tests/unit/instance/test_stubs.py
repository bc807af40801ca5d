"""The stubs of the Python instance, generated from the jar."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deployment.local.instance import stubs
from tests.unit.instance.modules import INSTANCE

PROTO = 'syntax = "proto3"; package {package}; message Something {{ string text = 1; }}'


def jar(folder: Path, *protos: str) -> Path:
    file = folder / "protos.jar"
    with zipfile.ZipFile(file, "w") as archive:
        for proto in protos:
            archive.writestr(proto, PROTO.format(package=proto.partition(".")[0].lower()))
    return file


def test_builds_once_for_each_jar(tmp_path: Path) -> None:
    target = tmp_path / "generated"
    file = jar(tmp_path, *stubs.PROTOS)
    stubs.build(file, target)
    module = target / "InstanceCommunication_pb2.py"
    assert module.is_file()
    module.write_text("kept")
    stubs.build(file, target)
    assert module.read_text() == "kept"
    stubs.build(jar(tmp_path, *stubs.PROTOS, "Another.proto"), target)
    assert module.read_text() != "kept"
    assert not list(target.glob("tmp*"))


def test_a_jar_without_the_protos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"InstanceCommunication\.proto"):
        stubs.build(jar(tmp_path, "Function.proto"), tmp_path / "generated")


def test_without_stubs_the_instance_says_what_to_do(tmp_path: Path) -> None:
    folder = shutil.copytree(INSTANCE, tmp_path / "instance", ignore=shutil.ignore_patterns("generated"))
    run = subprocess.run(
        [sys.executable, str(folder / "python_instance_main.py")], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "make setup" in run.stderr
