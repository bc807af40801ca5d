"""Prometheus, watching the local platform with the alerts of rules/: python -m deployment.monitoring. Ctrl-C ends it.

Its data and the configuration that it runs with lie in the platform's data folder, in prometheus/.
"""

from __future__ import annotations

from functions.program.run import run

if __name__ == "__main__":
    run("deployment.monitoring.__main__")  # loads it under its own name, and never returns

import argparse
import os
import sys

from deployment.local.errors import PlatformError
from deployment.local.settings import Settings, remembered
from deployment.monitoring.prometheus import folder
from deployment.monitoring.render import command, write_all


def main() -> None:
    parser = argparse.ArgumentParser("python -m deployment.monitoring", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--port", type=int, default=9090, help="on 127.0.0.1 (default 9090)")
    port = parser.parse_args().port
    try:
        settings = Settings.from_env(os.environ)
        if not remembered(settings.data):
            raise PlatformError(f"there is no platform in {settings.data}; run `make up` first")
        programs, target = folder(), settings.data / "prometheus"
        write_all(settings, target)
    except PlatformError as problem:
        sys.exit(f"error: {problem}")
    page = "classic/alerts" if (programs / "web").exists() else "alerts"  # Debian's build has the old pages only
    print(f"http://127.0.0.1:{port}/{page} shows the alerts; Ctrl-C ends it", flush=True)
    argv = command(programs, target, port)
    os.execv(argv[0], argv)
