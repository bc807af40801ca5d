"""The .proto files inside the jar pulsar-functions-proto → Python modules in the folder `generated`."""

import hashlib
import os
import tempfile
import zipfile
from contextlib import chdir
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

GENERATED = Path(__file__).resolve().parent / "generated"
PROTOS = ("Function.proto", "InstanceCommunication.proto")


def build(jar: Path, target: Path = GENERATED) -> None:
    """Does nothing when `target` was made from the same jar with the same grpcio-tools.

    Raises RuntimeError when the jar lacks a .proto file or the compiler refuses one.
    """
    stamp = target / "stamp.txt"
    digest = hashlib.sha256(jar.read_bytes()).hexdigest()
    made_from = f"{jar.name} sha256={digest} grpcio-tools={version('grpcio-tools')}\n"
    if stamp.is_file() and stamp.read_text() == made_from:
        return
    target.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    # On the same file system, so that each finished file is moved in as a whole.
    with tempfile.TemporaryDirectory(dir=target) as temporary:
        folder = Path(temporary)
        _extract(jar, folder)
        _compile(folder)
        for module in folder.glob("*.py"):
            os.replace(module, target / module.name)
    stamp.write_text(made_from)


def _extract(jar: Path, folder: Path) -> None:
    with zipfile.ZipFile(jar) as archive:
        missing = set(PROTOS) - set(archive.namelist())
        if missing:
            raise RuntimeError(f"{jar} has no {sorted(missing)}: give the jar of pulsar-functions-proto")
        for proto in PROTOS:
            archive.extract(proto, folder)


def _compile(folder: Path) -> None:
    from grpc_tools import protoc  # a build tool: not needed to run

    well_known = files("grpc_tools") / "_proto"
    paths = ["-I.", f"-I{well_known}", "--python_out=.", "--grpc_python_out=."]
    with chdir(folder):  # in a path that it is told, protoc takes a colon for the end
        code = protoc.main(["protoc", *paths, *PROTOS])
    if code != 0:
        raise RuntimeError(f"protoc could not compile {PROTOS}: its messages are above")
