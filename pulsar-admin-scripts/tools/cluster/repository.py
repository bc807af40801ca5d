"""The checkout that the scripts run from, and the functions that it configures."""

from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parents[3]
FUNCTIONS_FOLDER: Final = ROOT / "deployment" / "functions"


def function_configs() -> dict[str, dict[str, Any]]:
    """Every function's configuration, as deployment/functions/<name>.yaml has it, by the function's name.

    It is read anew at each call: callers may change what they get.
    """
    paths = sorted(FUNCTIONS_FOLDER.glob("*.yaml"))
    return {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in paths}
