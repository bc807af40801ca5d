"""`python -m bff` serves the API. settings.py explains the environment variables, and so does --help."""

from functions.program.run import run

if __name__ == "__main__":
    run("bff.__main__")  # loads it under its own name, and never returns

import argparse
import logging
import os
import sys
from tempfile import TemporaryDirectory

from bff import settings
from bff.server import server, signals
from bff.settings import Settings
from bff.telemetry import logs
from functions.cluster import client_conf


def main() -> int:
    """Serves until SIGTERM or SIGINT; the exit code. Ends the program if the configuration can't be used."""
    formatter = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser("python -m bff", description=settings.__doc__, formatter_class=formatter).parse_args()
    config = Settings.from_env()
    try:
        client_conf.options(client_conf.from_env())
    except (ValueError, OSError) as error:
        sys.exit(f"error: PULSAR_CLIENT_CONF is {os.environ['PULSAR_CLIENT_CONF']!r}: {error}")
    address = server.address(config.host, config.port)
    if config.authentication is None and not server.is_loopback(address):
        sys.exit(
            f"error: {config.host} is no loopback address, and anyone who reaches it could use the API: "
            "set BFF_JWT_SECRET or BFF_JWKS_URL, so that tokens are asked for"
        )
    logs.configure()
    with TemporaryDirectory(prefix="bff-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder  # each worker keeps its metrics in a file there
        server.serve(address, config.port, config.workers, config.certificate)
    logging.info("stopped")
    return signals.exit_code()
