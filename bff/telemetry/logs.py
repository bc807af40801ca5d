"""Logs on standard output: one JSON object a line, with the id of the request's trace."""

import logging
import sys
from typing import Any, Final, TextIO

from flask import g, has_app_context
from pythonjsonlogger.json import JsonFormatter

from bff.telemetry.cutting import MAX_FIELD, MAX_TEXT, MAX_TRACEBACK, cut

_LENGTHS: Final = {"message": MAX_TEXT, "exc_info": MAX_TRACEBACK, "stack_info": MAX_TRACEBACK}
"""Most characters of those fields that may be longer than MAX_FIELD."""


class _Output(logging.StreamHandler[TextIO]):
    """Says nothing of a line that it could not write because nobody reads the log any more."""

    def handleError(self, record: logging.LogRecord) -> None:  # logging's own name
        if not isinstance(sys.exception(), BrokenPipeError):
            super().handleError(record)


class _Formatter(JsonFormatter):
    """Cuts what is too long, whoever logs it."""

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {
            name: cut(value, _LENGTHS.get(name, MAX_FIELD)) if isinstance(value, str) else value
            for name, value in log_data.items()
        }


def formatter() -> logging.Formatter:
    """Makes a line of a record."""
    names = {"levelname": "level", "name": "logger"}
    return _Formatter("{levelname}{name}{message}", style="{", timestamp="time", rename_fields=names)


def configure() -> None:
    """Sets up the root logger of this process."""
    output = _Output(sys.stdout)
    output.setFormatter(formatter())
    output.addFilter(_with_trace)
    logging.basicConfig(handlers=[output], level=logging.INFO)
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)


def _with_trace(record: logging.LogRecord) -> bool:
    if has_app_context() and "trace" in g:
        record.trace_id = g.trace.id
    return True
