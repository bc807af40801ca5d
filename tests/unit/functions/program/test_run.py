"""How a program ends: signals, closed pipes, files that can't be used. Each is a process, as only one can be ended."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.platform import ROOT

START = "from functions.program.run import *; run('program')"
WAITING = """
import sys, threading
from contextlib import suppress
from functions.program.run import saying_if_interrupted, uninterrupted

def main():
    threading.Thread(target=sys.stdin.read).start()  # as one that waits for the network
    try:
        with saying_if_interrupted("half of it is done"):
            print("ready", flush=True)
            threading.Event().wait()
    finally:
        print("tidy", flush=True)
"""


def _as_from_a_shell() -> None:
    """Ignores no signal, whatever the tests do: in the background of a script, or under nohup."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@contextmanager
def started(folder: Path, source: str, **env: str) -> "Iterator[subprocess.Popen[str]]":
    """A program of this source."""
    (folder / "program.py").write_text(source, "utf-8")
    path = {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}
    with subprocess.Popen(
        [sys.executable, "-c", START],
        env=os.environ | path | env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        preexec_fn=_as_from_a_shell,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ended(folder: Path, source: str, **env: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a program of this source."""
    with started(folder, source, **env) as process:
        output, errors = process.communicate(timeout=60)
        return process.returncode, output, errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_tidily_with_one_line_and_does_not_wait_for_threads(
    tmp_path: Path, number: signal.Signals
) -> None:
    with started(tmp_path, WAITING) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(60) == 128 + number
        assert (process.stdout.read(), process.stderr.read()) == ("tidy\n", "half of it is done\n")


def test_a_signal_waits_for_what_must_not_be_interrupted(tmp_path: Path) -> None:
    source = """
import signal
from functions.program.run import uninterrupted
def main():
    with uninterrupted():
        signal.raise_signal(signal.SIGTERM)
        print("whole")
    print("not reached")
"""
    assert ended(tmp_path, source) == (143, "whole\n", "interrupted\n")


def test_a_signal_that_wakes_nobody_ends_what_waits_for_threads(tmp_path: Path) -> None:
    """As one that comes just before the main thread begins to wait: here another thread gets it."""
    source = """
import signal, sys, threading
from functions.program.threads import map_in_threads
def interrupt(_):
    while sys._current_frames()[threading.main_thread().ident].f_code.co_name != "_next":
        pass  # until the main thread waits
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)
    threading.Event().wait()
def main():
    map_in_threads(1, interrupt, [0])
"""
    assert ended(tmp_path, source) == (130, "", "interrupted\n")


@pytest.mark.parametrize(
    "reaction", ["raise", "raise SystemExit(1)", "raise SystemExit('error: it is unhealthy')", "return 1", "1 / 0"]
)
def test_a_reader_that_leaves_ends_it_with_141_whatever_becomes_of_the_error(tmp_path: Path, reaction: str) -> None:
    """Rich, for one, makes exit code 1 of it."""
    source = f"""
def main():
    input()
    try:
        print("too late", flush=True)
    except OSError:
        {reaction}
"""
    with started(tmp_path, source) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        assert (process.wait(60), process.stderr.read()) == (141, "")


def test_what_a_terminal_can_not_show_is_escaped_and_files_are_utf_8(tmp_path: Path) -> None:
    source = f"""
from pathlib import Path
def main():
    print("waiting … → Peña 🚚")
    Path({str(tmp_path)!r}, "año").write_text("Peña")
"""
    for ascii_only in ({"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        shown = "waiting ... -> Pe\\xf1a \\U0001f69a\n"
        assert ended(tmp_path, source, **ascii_only) == (0, shown, "")
        assert (tmp_path / "año").read_text("utf-8") == "Peña"
        (tmp_path / "año").unlink()


@pytest.mark.parametrize(
    ("statement", "code", "errors"),
    [
        ("return None", 0, ""),
        ("return 3", 3, ""),
        ("raise SystemExit(2)", 2, ""),
        ("raise SystemExit('error: x is 3: say 4')", 1, "error: x is 3: say 4\n"),
        ("open('/dev/null/file', 'w')", 1, "error: can't use /dev/null/file: Not a directory\n"),
    ],
)
def test_the_exit_code_and_what_is_said(tmp_path: Path, statement: str, code: int, errors: str) -> None:
    assert ended(tmp_path, f"def main():\n    {statement}\n") == (code, "", errors)


def test_other_errors_are_bugs_and_are_shown_whole(tmp_path: Path) -> None:
    code, _, errors = ended(tmp_path, "def main():\n    1 / 0\n")
    assert (code, errors.splitlines()[0]) == (1, "Traceback (most recent call last):")
