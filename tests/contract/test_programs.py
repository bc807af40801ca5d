"""Every program that people start: on a terminal that knows ASCII only, into a pipe that is closed, with Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.house.sources import files
from tests.support.platform import ROOT

NOT_FOR_PEOPLE: Final = {
    "deployment/local/instance/python_instance_main.py",  # the functions worker starts it
    "tests/contract/manifests/renew.py",  # in an environment of its own: see the README beside it
    "tests/e2e/producer.py",
    "tests/fuzz/defective.py",
    "tests/support/bff_with_fakes.py",
    "tests/support/chart.py",  # wants Helm: see tests/contract/manifests/README.md
}
ASCII_ONLY: Final = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
HOOKS: Final = """
import atexit, os, signal, sys

class Interrupt:
    def find_spec(name, path=None, target=None):
        if name == "argparse":
            os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background inherits that it is ignored
if os.environ["INTERRUPT"] == "loading":
    sys.meta_path.insert(0, Interrupt)
else:
    atexit.register(os.kill, os.getpid(), signal.SIGINT)
"""
"""Python's sitecustomize: Ctrl-C while a program is loaded, or while Python ends it."""


def programs() -> list[str]:
    """The paths of all programs for people, relative to ROOT."""
    start = 'if __name__ == "__main__":\n'
    found = {str(path) for path in files(ROOT, ".py") if start in (ROOT / path).read_text("utf-8")}
    assert found >= NOT_FOR_PEOPLE
    return sorted(found - NOT_FOR_PEOPLE - {"tests/contract/test_programs.py"})


def run(program: str, env: Mapping[str, str], stdout: int = subprocess.PIPE) -> tuple[int, bytes, str]:
    """Exit code, standard output and standard error of `--help`."""
    path = Path(program)
    module = ".".join(path.with_suffix("").parts).removesuffix(".__main__")
    arguments = [program] if path.parts[0] == "pulsar-admin-scripts" else ["-m", module]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHON"))}
    process = subprocess.run(
        [sys.executable, *arguments, "--help"],
        cwd=ROOT,
        env={**kept, "PYTHONDONTWRITEBYTECODE": "1", **env},
        stdout=stdout,
        stderr=subprocess.PIPE,
        timeout=180,
        check=False,
    )
    return process.returncode, process.stdout, process.stderr.decode()


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("hooks")
    (folder / "sitecustomize.py").write_text(HOOKS, "utf-8")
    return str(folder)


@pytest.mark.parametrize("program", programs())
def test_a_terminal_that_knows_ascii_only_is_enough(program: str) -> None:
    code, output, errors = run(program, ASCII_ONLY)
    assert (code, output[:6], errors) == (0, b"usage:", "")
    assert output.isascii()


@pytest.mark.parametrize("program", programs())
def test_a_program_that_nobody_reads_ends_with_141_without_a_word(program: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert run(program, {}, writer)[::2] == (141, "")
    finally:
        os.close(writer)


@pytest.mark.parametrize("program", programs())
def test_ctrl_c_while_a_program_is_loaded_ends_it_with_130_and_one_line(program: str, hooks: str) -> None:
    assert run(program, {"PYTHONPATH": hooks, "INTERRUPT": "loading"}) == (130, b"", "interrupted\n")


def test_ctrl_c_after_a_program_has_ended_is_no_error(hooks: str) -> None:
    code, output, errors = run("pulsar-admin-scripts/new.py", {"PYTHONPATH": hooks, "INTERRUPT": "ending"})
    assert (code, output[:6], errors) == (-2, b"usage:", "")


SCHEMES: Final = {"ADMIN": "http", "FUNCTIONS": "http", "SERVICE": "pulsar"}
SILENT: Final = [
    ("pulsar-admin-scripts/provision.py", "--plan"),
    ("pulsar-admin-scripts/grants.py", "--plan"),
    ("pulsar-admin-scripts/deploy.py", "--plan"),
    ("pulsar-admin-scripts/schemas.py", "list"),
    ("pulsar-admin-scripts/monitor.py", "--once"),
    ("pulsar-admin-scripts/listen.py",),
    ("pulsar-admin-scripts/dlq.py", "list"),
    ("pulsar-admin-scripts/publish.py", "productos/comando-crear-producto", "--sample"),
    ("-m", "deployment.local.demo"),
    ("-m", "deployment.databases"),
    ("-m", "deployment.databases.prune"),
]


@pytest.mark.parametrize("arguments", SILENT, ids=" ".join)
def test_ctrl_c_does_not_wait_for_a_server_that_is_silent(arguments: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        addresses = {"BFF_PORT": str(port), "DB_PORT": str(port), "DB_ADMIN_PASSWORD": "x"}
        addresses |= {f"PULSAR_{name}_URL": f"{scheme}://127.0.0.1:{port}" for name, scheme in SCHEMES.items()}
        with subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=os.environ | addresses,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        ) as process:
            connection, _ = silent.accept()
            started = time.monotonic()
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
            connection.close()
        assert (process.returncode, errors.splitlines()[-1][:11]) == (130, "interrupted")
        assert "Traceback" not in errors
        assert time.monotonic() - started < 10  # as seconds are: clients wait for 10 to 60 s
