"""The root logger: a rotating file, `print` into it, and the log topic while a message is processed."""

import io
import logging
import logging.config
import logging.handlers
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pulsar

Log = logging.getLogger()
DATE_FORMAT = "%Y-%m-%d %H:%M:%S %z"
LEVELS = {
    "notset": logging.NOTSET,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "fatal": logging.CRITICAL,
}


class CreatePathRotatingFileHandler(logging.handlers.RotatingFileHandler):
    """Makes the file's folder too. Named by logging configuration files: name and arguments are contract."""

    def __init__(
        self,
        filename: str,
        mode: str = "a",
        maxBytes: int = 10 * 1024 * 1024,
        backupCount: int = 5,
        encoding: str | None = None,
        delay: bool = False,
    ) -> None:
        os.makedirs(os.path.dirname(filename), exist_ok=True)
        super().__init__(filename, mode, maxBytes, backupCount, encoding, delay)


class LogTopicHandler(logging.Handler):
    """Sends records to a topic; never waits for the broker and never fails the caller."""

    def __init__(self, topic: str, client: Any) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("[%(asctime)s] [%(levelname)s]: %(message)s", DATE_FORMAT))
        self._producer = client.create_producer(
            topic,
            block_if_queue_full=True,
            batching_enabled=True,
            batching_max_publish_delay_ms=100,
            compression_type=pulsar.CompressionType.LZ4,
        )

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._producer.send_async(self.format(record).encode(), None)
        except Exception:
            self.handleError(record)

    @contextmanager
    def instead_of_file(self) -> Iterator[None]:
        """While this lasts, records go to the topic only."""
        usual = Log.handlers
        Log.handlers = [self]
        try:
            yield
        finally:
            Log.handlers = usual


class StreamToLogger(io.TextIOBase):
    """Stands for stdout or stderr: every line becomes a record. Each thread has its own unfinished line."""

    def __init__(self, level: int) -> None:
        self._level = level
        self._local = threading.local()

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, rest = (getattr(self._local, "rest", "") + text).split("\n")
        self._local.rest = rest
        for line in lines:
            self._record(line)
        return len(text)

    def flush(self) -> None:
        rest, self._local.rest = getattr(self._local, "rest", ""), ""
        self._record(rest)

    def _record(self, line: str) -> None:
        # A handler that fails reports on stderr: while a line is logged, that must not come back here.
        if not line.strip() or getattr(self._local, "busy", False):
            return
        self._local.busy = True
        try:
            Log.log(self._level, line.rstrip())
        finally:
            self._local.busy = False


def init_logger(level: str | None, logfile: str, config_file: str) -> None:
    """Set up the root logger from `config_file`, which finds the log file's path in LOG_FILE."""
    os.environ["LOG_FILE"] = logfile
    logging.config.fileConfig(config_file)
    if level in LEVELS:
        Log.setLevel(LEVELS[level])
        for handler in Log.handlers:
            handler.setLevel(LEVELS[level])
    sys.stdout = StreamToLogger(logging.INFO)
    sys.stderr = StreamToLogger(logging.ERROR)
