"""The HTTP server: granian, with worker processes that each load the application by themselves."""

import ipaddress
import signal
import socket
import sys
from typing import Any, Final

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from bff import senales

GRACIA: Final = 10
"""Requests in hand have this long, in s, to end after a signal."""
CONEXIONES: Final = 1000
"""Of one worker; more wait until others are closed."""
CABECERAS: Final = 64 * 1024
"""Bytes of a request's line and headers, at most: more are a 431."""


def direccion(host: str, port: int) -> str:
    """The address to listen on; ends the program with a clear error if nobody can listen there."""
    try:
        familia, _, _, _, encontrada = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        socket.create_server(encontrada[:2], family=familia).close()  # workers would share it with anybody
    except OSError as error:
        motivo = str(error.strerror).partition(" (while")[0]
        sys.exit(f"error: can't listen on {host}:{port}: {motivo}. Free the port, or set BFF_HOST, BFF_PORT")
    return str(encontrada[0])


def es_local(direccion: str) -> bool:
    """True if only this machine reaches it."""
    return ipaddress.ip_address(direccion).is_loopback


def servir(direccion: str, port: int, trabajadores: int, hilos: int) -> None:
    """Until a signal; then returns when the requests in hand are answered, or after GRACIA. A worker that dies is
    replaced; if its successor dies at once, the program ends with exit code 1.
    """
    servidor = Server(
        "bff",
        direccion,
        port,
        interface=Interfaces.WSGI,
        workers=trabajadores,
        blocking_threads=hilos,
        backpressure=CONEXIONES,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(max_buffer_size=CABECERAS),
        websockets=False,
        log_level=LogLevels.error,
        log_dictconfig={"loggers": {"_granian": {}}},  # where all other loggers write
        respawn_failed_workers=True,
        workers_kill_timeout=GRACIA,
    )
    servidor.on_startup(lambda: senales.entregar_la_primera(signal.SIGTERM, signal.SIGINT))
    senales.retener()
    servidor.serve(target_loader=_cargar, wrap_loader=False)


def _cargar() -> Any:
    """In the worker's own process: the Pulsar client's threads don't survive a fork."""
    from bff.trabajador import crear

    return crear()
