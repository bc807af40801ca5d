"""What a program writes on a terminal or into a pipe: what it can't show is escaped, and a reader that left is noticed.

Files are in UTF-8 whatever the terminal is: see `use_utf8`.
"""

import codecs
import io
import os
import select
import stat
import sys
from typing import Any, Final, TextIO

SYMBOLS: Final = {
    "…": "...",
    "→": "->",
    "↩": "<-",
    "►": ">",
    "–": "-",
    "—": "-",
    "−": "-",
    "─": "-",
    "└": "+",
    "×": "x",
    "≤": "<=",
    "≥": ">=",
    "µ": "u",
}
"""Signs of our own texts, and what a terminal gets that does not know them."""
_ERRORS: Final = "readable"
_STDOUT: Final = 1


class _File(io.FileIO):
    """An output that remembers for the whole process that nobody reads it any more."""

    reader_is_gone = False

    def write(self, data: Any) -> int | None:  # type: ignore[override]  # typeshed says that None can't come
        try:
            return super().write(data)
        except BrokenPipeError:
            _File.reader_is_gone = True
            raise


def use_utf8() -> None:
    """Starts this program again in Python's UTF-8 mode if its locale is another one, such as C.

    Then files, names of files, arguments and child processes are in UTF-8. The terminal still gets what it can show.
    """
    if sys.getfilesystemencoding() == "utf-8" or os.environ.get("PYTHONUTF8") == "1":
        return
    terminal = {"PYTHONIOENCODING": sys.stdout.encoding if sys.stdout else "ascii"}
    env = terminal | os.environ | {"PYTHONUTF8": "1"}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], env)


def prepare() -> None:
    """Lets standard output and standard error escape what they can't show, and notice that their reader has left."""
    codecs.register_error(_ERRORS, _readable)
    sys.stdout, sys.stderr = _noticing(sys.stdout), _noticing(sys.stderr)


def flush() -> None:
    """Writes what is still buffered. Raises BrokenPipeError if nobody reads it."""
    for output in (sys.stdout, sys.stderr):
        if output is not None:  # as after >&-
            output.flush()


def require_reader() -> None:
    """Raises BrokenPipeError if nobody reads standard output any more, even if there is nothing to write."""
    if _lost_reader(0):
        raise BrokenPipeError


def wait_until_reader_is_gone() -> None:
    """Returns when nobody reads standard output any more; never, if it is no pipe."""
    while not _lost_reader(None):
        pass


def _lost_reader(timeout: int | None) -> bool:
    """True if standard output is a pipe that nobody reads any more, within so many ms."""
    poll = select.poll()
    if stat.S_ISFIFO(os.fstat(_STDOUT).st_mode):
        poll.register(_STDOUT, 0)  # errors are reported without being asked for
    if any(event & select.POLLERR for _, event in poll.poll(timeout)):
        _File.reader_is_gone = True
    return _File.reader_is_gone


def reader_is_gone() -> bool:
    """True if something was written that nobody reads any more, whatever became of the error."""
    return _File.reader_is_gone


def _readable(error: UnicodeError) -> tuple[str | bytes, int]:
    """A handler of codecs: SYMBOLS as ASCII, everything else with a backslash."""
    assert isinstance(error, UnicodeEncodeError)
    if symbol := SYMBOLS.get(error.object[error.start]):
        return symbol, error.start + 1
    part = UnicodeEncodeError(error.encoding, error.object, error.start, error.start + 1, error.reason)
    return codecs.backslashreplace_errors(part)


def _noticing(stream: TextIO) -> TextIO:
    """The same output, as a stream that escapes and notices; buffered as before."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    file = _File(stream.fileno(), "w", closefd=False)
    buffer: Any = file if stream.write_through else io.BufferedWriter(file)
    return io.TextIOWrapper(
        buffer, stream.encoding, _ERRORS, line_buffering=stream.line_buffering, write_through=stream.write_through
    )
