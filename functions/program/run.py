"""Runs a program, and ends it so that neither Ctrl-C nor a closed pipe nor an odd terminal leads to a traceback.

A program's own module is loaded by `run`, because loading takes most of a second, in which Ctrl-C may come.
"""

import errno
import importlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, NoReturn

from functions.program import output

_received: Final[list[int]] = []
SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)
"""They interrupt a program as Ctrl-C does."""
READER_IS_GONE: Final = 128 + signal.SIGPIPE
_DENIED: Final = {
    getattr(errno, name)
    for name in ["EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "ENAMETOOLONG", "ENOTDIR", "EISDIR", "ENOENT"]
}
"""Errors of the file system: whoever named the file must do something, the program is right."""


@contextmanager
def saying_if_interrupted(text: str) -> Iterator[None]:
    """Lets `text` be the one line that an interruption of the block prints: what is done, and what is not."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        if not interrupt.args:
            interrupt.args = (text,)
        raise


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Lets Ctrl-C and SIGNALS take effect at the end of the block, not in between. Threads other than the main one have
    none to wait for.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, *SIGNALS)}
    for number, action in before.items():
        if action != signal.SIG_IGN:
            signal.signal(number, lambda number, _: received.append(number))
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)
    if received:
        signal.raise_signal(received[0])


def run(module: str) -> NoReturn:
    """Runs `main` of a module, which returns the exit code or None for 0, and ends the program.

    Other exit codes: 1 for SystemExit with a text, which is printed to stderr, and for a file that can't be used; 130
    after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP, each with one line on stderr; 141, and not a word, if nobody
    reads the output any more. Other exceptions are bugs, and pass.
    """
    run_function(lambda: importlib.import_module(module).main())


def run_function(main: Callable[[], int | None]) -> NoReturn:
    """As `run`, with a function that also loads what it needs."""
    code = 128 + signal.SIGINT
    try:
        output.use_utf8()
        for number in (signal.SIGINT, *SIGNALS):
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):  # nohup has SIGHUP ignored
                signal.signal(number, _interrupt)
        output.prepare()
        code = exit_code(main)
        output.flush()
    except KeyboardInterrupt:
        pass  # another one, after the first
    except BaseException:
        if not output.reader_is_gone():
            raise
    if output.reader_is_gone():
        code = READER_IS_GONE
    if code > 128:
        os._exit(code)  # waits for no thread, which may wait for the network, and writes nothing that nobody reads
    for number in (signal.SIGINT, *SIGNALS):  # from here on they find no program any more, only Python's own end
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    sys.exit(code)


def exit_code(main: Callable[[], int | None]) -> int:
    """Runs `main`; the exit code, after what it has to say was printed. Bugs pass."""
    try:
        code: object = main()
    except SystemExit as end:
        code = end.code
    except OSError as error:
        if error.errno not in _DENIED or not error.filename:
            raise
        code = f"error: can't use {os.fsdecode(error.filename)}: {error.strerror}"
    except KeyboardInterrupt as interrupt:
        print(str(interrupt) or "interrupted", file=sys.stderr)
        return 128 + (_received[0] if _received else signal.SIGINT)
    if code is None or isinstance(code, int):
        return code or 0
    if not output.reader_is_gone():  # else it may say no more than that
        print(code, file=sys.stderr)
    return 1


def _interrupt(number: int, _: FrameType | None) -> NoReturn:
    _received.append(number)
    raise KeyboardInterrupt
