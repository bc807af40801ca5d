"""Starts a tool: the one place that makes `functions` and `deployment` importable."""

import importlib
import sys
from pathlib import Path
from typing import NoReturn

from tools.errors import FailureReported, ToolError


def run(module: str) -> NoReturn:
    """Runs `main` of a module, and ends the program: see functions/program/run.py."""
    sys.path.append(str(Path(__file__).parents[2]))
    from functions.program.run import run_function

    run_function(lambda: outcome(module))


def outcome(module: str) -> int:
    """What `main` of a module returns. Raises SystemExit, with the text to print, after a ToolError."""
    try:
        code: int = importlib.import_module(module).main()
        return code
    except FailureReported as error:
        sys.exit(str(error))
    except ToolError as error:
        sys.exit(f"error: {error}")
