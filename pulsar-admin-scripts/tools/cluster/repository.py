"""The checkout that the scripts run from, and the functions that it configures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from functions.messages.payloads import ComandoRevisarEspera

ROOT: Final = Path(__file__).parents[3]
FUNCTIONS_FOLDER: Final = ROOT / "deployment" / "functions"
CANARY_SUFFIX: Final = "-canary"
"""What the name of a function's canary has after that of the function."""


def function_configs() -> dict[str, dict[str, Any]]:
    """Every function's configuration, as deployment/functions/<name>.yaml has it, by the function's name.

    It is read anew at each call: callers may change what they get.
    """
    paths = sorted(FUNCTIONS_FOLDER.glob("*.yaml"))
    return {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in paths}


def delays(config: Mapping[str, Any]) -> dict[str, list[float]]:
    """The topics "<namespace>/<topic>" whose messages a function publishes to be delivered later, with the possible
    waits in seconds, as its userConfig says.
    """
    user_config = config.get("userConfig", {})
    waits: dict[str, list[float]] = dict(user_config.get("DEMORAS", {}))
    if "ESPERA_CONDUCTOR" in user_config:
        waits[ComandoRevisarEspera.topic] = [user_config["ESPERA_CONDUCTOR"]]
    return waits
