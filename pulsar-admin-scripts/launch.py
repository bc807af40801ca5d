"""Starts a tool whose modules need functions.comun, which lies beside this folder."""

import importlib
import sys
from pathlib import Path
from typing import NoReturn


def correr(modulo: str) -> NoReturn:
    """Ends the program with what `main` of the module returns; 130 if it is interrupted even while it is loaded."""
    sys.path.append(str(Path(__file__).parents[1]))
    try:
        sys.exit(importlib.import_module(modulo).main())
    except KeyboardInterrupt:
        sys.exit(130)
