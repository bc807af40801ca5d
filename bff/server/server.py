"""The HTTP server: granian, whose worker processes each load the application by themselves."""

import ipaddress
import logging
import signal
import socket
import sys
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from bff.access.certificate import Certificate, InvalidCertificate
from bff.server import signals

GRACE_PERIOD: Final = 10
"""Seconds that requests in progress have to end after a signal."""
START_TIME: Final = 10
"""Seconds that a worker has to start in, before the one that it replaces is told to end."""
MAX_CONNECTIONS: Final = 8192
"""Most connections of one worker; further clients wait until others disconnect."""
HEADERS_TIMEOUT: Final = 75
"""Seconds that a request line with headers may take, and that a connection may be idle: longer than proxies keep one,
which would otherwise use it while it ends."""
MAX_HEADERS: Final = 8 * 1024
"""Longest request line with headers that is accepted, in bytes; longer ones are answered 431."""


def address(host: str, port: int) -> str:
    """The IP address to listen on. Ends the program with an error if the host or the port can't be used."""
    try:
        family, _, _, _, found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # the server's workers share their port, so they would not notice another program on it
        socket.create_server(found[:2], family=family).close()
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]
        sys.exit(f"error: can't listen on {host}:{port}: {reason}. Free the port, or set BFF_HOST, BFF_PORT")
    return str(found[0])


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches the address."""
    return ipaddress.ip_address(address).is_loopback


def serve(address: str, port: int, workers: int, certificate: Certificate | None = None) -> None:
    """Serves until SIGTERM or SIGINT; then returns when the requests in progress have ended, or after GRACE_PERIOD.

    A worker that dies is replaced. If its successor dies at once too, the program ends with exit code 1. SIGHUP has all
    workers replaced, one after the other, by such as read the certificate anew; nothing happens if it can't be used.

    Parameters:
      address, port: where to listen.
      workers: the number of processes.
      certificate: what to serve HTTPS with; None for HTTP.
    """
    server = Server(
        "bff",
        address,
        port,
        interface=Interfaces.ASGINL,
        workers=workers,
        backpressure=MAX_CONNECTIONS,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=1000 * HEADERS_TIMEOUT, max_buffer_size=MAX_HEADERS),
        websockets=False,
        log_level=LogLevels.error,
        log_dictconfig={"loggers": {"_granian": {}}},  # propagates to the root logger, which logs.configure sets up
        respawn_failed_workers=True,
        respawn_interval=START_TIME,
        workers_kill_timeout=GRACE_PERIOD,
        ssl_cert=certificate.chain if certificate else None,
        ssl_key=certificate.key if certificate else None,
        ssl_protocol_min=SSLProtocols.tls12,
    )
    server.on_startup(lambda: signals.deliver_first(signal.SIGTERM, signal.SIGINT))
    server.on_startup(lambda: signals.deliver_hangups(lambda: _can_be_used(certificate)))
    signals.block()
    signals.stop_without_reader()
    server.serve(target_loader=_load, wrap_loader=False)


def _can_be_used(certificate: Certificate | None) -> bool:
    try:
        if certificate:
            certificate.check()
    except InvalidCertificate as error:
        logging.error("SIGHUP: the certificate of before stays in use: %s", error)
        return False
    logging.info("SIGHUP: the workers are replaced")
    return True


def _load() -> Any:
    """The application, loaded in the worker's own process: the Pulsar client's threads don't survive a fork."""
    from bff.server.worker import load_app

    return load_app()
