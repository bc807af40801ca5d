"""The HTTP server: processes that share a socket, each with waitress, which answers errors as we do."""

import ipaddress
import logging
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, Final, NoReturn

import waitress.channel
import waitress.parser
import waitress.server
import waitress.task

from bff.formatos import problema

GRACIA: Final = 10.0
"""Requests in hand have this long, in s, to end after a signal."""
CONEXIONES: Final = 1000
"""Of one worker; more wait until others are closed."""
PAUSA: Final = 1.0
"""Before a worker that died is replaced, in s."""
_SENALES: Final = (signal.SIGTERM, signal.SIGINT)
_log = logging.getLogger(__name__)


def escuchar(host: str, port: int) -> socket.socket:
    """The listening socket; ends the program with a clear error if there can't be one."""
    try:
        familia, _, _, _, direccion = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(direccion[:2], family=familia, backlog=1024)
    except OSError as error:
        motivo = str(error.strerror).partition(" (while")[0]
        sys.exit(f"error: can't listen on {host}:{port}: {motivo}. Free the port, or set BFF_HOST, BFF_PORT")


def es_local(enchufe: socket.socket) -> bool:
    """True if only this machine reaches it."""
    return ipaddress.ip_address(str(enchufe.getsockname()[0])).is_loopback


def supervisar(cuantos: int, trabajar: Callable[[int], None], al_morir: Callable[[int], None]) -> int:
    """Runs `trabajar` in `cuantos` processes, and another one for each that dies, which `al_morir` is told.

    Returns the exit code: after a signal, when all have ended; or when one ended by itself with sys.exit. `trabajar`
    gets a descriptor that is at its end once this process is no more: an orphan must end.
    """
    vigilados = (*_SENALES, signal.SIGCHLD)
    signal.pthread_sigmask(signal.SIG_BLOCK, vigilados)
    vida, mia = os.pipe()
    hijos: set[int] = set()
    salida: int | None = None
    while True:
        while salida is None and len(hijos) < cuantos:
            hijos.add(_bifurcar(trabajar, vida, mia, vigilados))
        if signal.sigwait(vigilados) != signal.SIGCHLD:
            salida = salida or 0
        for pid, codigo in _terminados(hijos):
            hijos.discard(pid)
            al_morir(pid)
            if codigo == os.EX_CONFIG:
                salida = 1
            elif salida is None:
                _log.error("worker %d died (%d): another one takes its place", pid, codigo)
                time.sleep(PAUSA)
        if salida is not None:
            for pid in hijos:
                os.kill(pid, signal.SIGTERM)
            if not hijos:
                return salida


def _bifurcar(trabajar: Callable[[int], None], vida: int, mia: int, vigilados: tuple[int, ...]) -> int:
    if pid := os.fork():
        return pid
    os.close(mia)
    _ser_hijo(trabajar, vida, vigilados)


def _ser_hijo(trabajar: Callable[[int], None], vida: int, vigilados: tuple[int, ...]) -> NoReturn:
    """A child never returns into the parent's stack."""
    codigo = os.EX_SOFTWARE
    try:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # until there is something to end well
        signal.pthread_sigmask(signal.SIG_UNBLOCK, vigilados)
        trabajar(vida)
        codigo = 0
    except SystemExit as fin:
        print(fin.code, file=sys.stderr)
        codigo = os.EX_CONFIG
    except BaseException:
        traceback.print_exc()
    finally:
        logging.shutdown()
        sys.stdout.flush()
        os._exit(codigo)


def _terminados(hijos: set[int]) -> list[tuple[int, int]]:
    """Pids and exit codes, negative for signals."""
    muertos = []
    for hijo in hijos:
        pid, estado = os.waitpid(hijo, os.WNOHANG)
        if pid:
            muertos.append((pid, os.waitstatus_to_exitcode(estado)))
    return muertos


class _Error(waitress.task.ErrorTask):  # type: ignore[misc]  # waitress is untyped
    """What the server itself refuses, such as bytes that are no HTTP: a problem document, like all errors."""

    def execute(self) -> None:
        error = self.request.error
        cuerpo, tipo = problema(error.code, str(error.body))
        self.status, self.content_length = f"{error.code} {error.reason}", len(cuerpo)
        self.response_headers.append(("Content-Type", tipo))
        self.set_close_on_finish()
        primera = getattr(self.request, "first_line", b"")  # there is none if it could not be read
        self.write(b"" if primera.startswith(b"HEAD ") else cuerpo)


class _Peticion(waitress.parser.HTTPRequestParser):  # type: ignore[misc]
    def received(self, data: bytes) -> int:
        consumidos = super().received(data)
        if self.completed:
            self.expect_continue = False  # nothing is to come, and waitress would wait for it
        return int(consumidos)


class _Canal(waitress.channel.HTTPChannel):  # type: ignore[misc]
    error_task_class = _Error
    parser_class = _Peticion


def servir(app: Any, enchufe: socket.socket, hilos: int, vida: int) -> None:
    """Until a signal or the end of `vida`; then returns when the requests in hand are answered, or after GRACIA."""
    fin = threading.Event()
    servidor = waitress.server.create_server(
        app,
        {},
        sockets=[enchufe],
        threads=hilos,
        ident=None,
        max_request_body_size=1 << 20,
        backlog=1024,
        connection_limit=CONEXIONES,
    )
    servidor.channel_class = _Canal

    def parar(*_: object) -> None:
        fin.set()
        servidor.pull_trigger()

    for senal in _SENALES:
        signal.signal(senal, parar)
    threading.Thread(target=lambda: parar(os.read(vida, 1)), name="vida", daemon=True).start()
    while not fin.is_set():
        _atender(servidor, 1)
    servidor.del_channel()
    enchufe.close()
    limite = time.monotonic() + GRACIA
    while servidor.active_channels and time.monotonic() < limite:
        for canal in list(servidor.active_channels.values()):
            for peticion in list(canal.requests):
                peticion.headers["CONNECTION"] = "close"
            canal.will_close |= not (canal.request or canal.requests or canal.total_outbufs_len)
        _atender(servidor, 0.1)
    servidor.task_dispatcher.shutdown(timeout=1)


def _atender(servidor: Any, espera: float) -> None:
    """Moves bytes between the sockets and the threads, once; waits up to `espera` s for some to be there."""
    servidor.asyncore.loop(timeout=espera, use_poll=True, map=servidor._map, count=1)
