"""Starts a tool: the one place that makes `functions` and `deployment` importable, and that ends the program."""

import importlib
import sys
from pathlib import Path
from typing import NoReturn

from tools.errors import FailureReported, ToolError


def run(module: str) -> NoReturn:
    """Runs `main` of a module, and ends the program.

    The exit code is what `main` returns, 1 after a ToolError was printed to stderr, or 130 after Ctrl-C, even if it
    was pressed while the module was loaded.
    """
    sys.path.append(str(Path(__file__).parents[2]))
    try:
        sys.exit(importlib.import_module(module).main())
    except FailureReported as error:
        sys.exit(str(error))
    except ToolError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
