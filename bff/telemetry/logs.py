"""Logs on standard output: one JSON object a line, with the id of the request's trace."""

import logging
import sys
from typing import TextIO

from flask import g, has_app_context
from pythonjsonlogger.json import JsonFormatter


class _Output(logging.StreamHandler[TextIO]):
    """Says nothing of a line that it could not write because nobody reads the log any more."""

    def handleError(self, record: logging.LogRecord) -> None:  # logging's own name
        if not isinstance(sys.exception(), BrokenPipeError):
            super().handleError(record)


def configure() -> None:
    """Sets up the root logger of this process."""
    output = _Output(sys.stdout)
    names = {"levelname": "level", "name": "logger"}
    output.setFormatter(JsonFormatter("{levelname}{name}{message}", style="{", timestamp="time", rename_fields=names))
    output.addFilter(_with_trace)
    logging.basicConfig(handlers=[output], level=logging.INFO)
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)


def _with_trace(record: logging.LogRecord) -> bool:
    if has_app_context() and "trace" in g:
        record.trace_id = g.trace.id
    return True
