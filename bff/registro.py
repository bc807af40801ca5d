"""Logs on standard output: a JSON object a line, with the request's trace."""

import logging
import sys

from flask import g, has_app_context
from pythonjsonlogger.json import JsonFormatter


def configurar() -> None:
    salida = logging.StreamHandler(sys.stdout)
    nombres = {"levelname": "level", "name": "logger"}
    salida.setFormatter(JsonFormatter("{levelname}{name}{message}", style="{", timestamp="time", rename_fields=nombres))
    salida.addFilter(_con_traza)
    logging.basicConfig(handlers=[salida], level=logging.INFO)
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)


def _con_traza(registro: logging.LogRecord) -> bool:
    if has_app_context() and "traza" in g:
        registro.trace_id = g.traza.id
    return True
