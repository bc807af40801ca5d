"""Serves the HTTP API until SIGTERM or SIGINT.

Environment, with defaults:
  BFF_HOST (127.0.0.1), BFF_PORT (3000), BFF_THREADS (16)   where and how to serve
  BFF_MAX_CANTIDAD (10000)          units in one order, at most
  PULSAR_SERVICE_URL                the broker; or BROKER_HOST (127.0.0.1) and BROKER_PORT (6650)
  BFF_PULSAR_LOG (/dev/null)        file for the Pulsar client's own log
  DB_USERNAME (bff), DB_PASSWORD, DB_HOSTNAME (127.0.0.1), DB_PORT (5432), DB_NAME (saga)   the saga log
  DB_READ_HOSTNAME (DB_HOSTNAME), DB_READ_NAME (ordenes_lectura),
  DB_READ_NAME_PRODUCTOS (productos_lectura)                the read models
"""

import argparse
import ipaddress
import logging
import os
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
import waitress.channel
import waitress.server
import waitress.task

from bff import crear_app
from bff.broker import Broker, conectar, desconectar
from bff.formatos import problema
from bff.lecturas import Lecturas

GRACIA: Final = 10.0
"""Requests in hand have this long, in s, to end after a signal."""


@dataclass(frozen=True, slots=True)
class Ajustes:
    """The environment."""

    host: str
    port: int
    hilos: int
    max_cantidad: int
    pulsar: str
    saga: sa.URL
    ordenes: sa.URL
    productos: sa.URL

    @classmethod
    def del_entorno(cls) -> "Ajustes":
        entorno = os.environ.get
        broker = f"pulsar://{entorno('BROKER_HOST', '127.0.0.1')}:{_entero('BROKER_PORT', 6650)}"
        escritura = entorno("DB_HOSTNAME", "127.0.0.1")
        lectura = entorno("DB_READ_HOSTNAME", escritura)
        return cls(
            host=entorno("BFF_HOST", "127.0.0.1"),
            port=_entero("BFF_PORT", 3000, 65535),
            hilos=_entero("BFF_THREADS", 16, 500),
            max_cantidad=_entero("BFF_MAX_CANTIDAD", 10_000),
            pulsar=entorno("PULSAR_SERVICE_URL", broker),
            saga=_base(escritura, entorno("DB_NAME", "saga")),
            ordenes=_base(lectura, entorno("DB_READ_NAME", "ordenes_lectura")),
            productos=_base(lectura, entorno("DB_READ_NAME_PRODUCTOS", "productos_lectura")),
        )


def _entero(nombre: str, defecto: int, maximo: int = 2**31 - 1) -> int:
    valor = os.environ.get(nombre, str(defecto))
    if not valor.isdecimal() or not 1 <= int(valor) <= maximo:
        sys.exit(f"error: {nombre} is {valor!r}: it must be a whole number from 1 to {maximo}")
    return int(valor)


def _base(host: str, nombre: str) -> sa.URL:
    usuario, clave = os.environ.get("DB_USERNAME", "bff"), os.environ.get("DB_PASSWORD")
    return sa.URL.create("postgresql+pg8000", usuario, clave, host, _entero("DB_PORT", 5432, 65535), nombre)


class _Error(waitress.task.ErrorTask):  # type: ignore[misc]  # waitress is untyped
    """What the server itself refuses, such as bytes that are no HTTP: a problem document, like all errors."""

    def execute(self) -> None:
        error = self.request.error
        cuerpo, tipo = problema(error.code, str(error.body))
        self.status, self.content_length = f"{error.code} {error.reason}", len(cuerpo)
        self.response_headers.append(("Content-Type", tipo))
        self.set_close_on_finish()
        self.write(cuerpo)


class _Canal(waitress.channel.HTTPChannel):  # type: ignore[misc]
    error_task_class = _Error


def escuchar(host: str, port: int) -> socket.socket:
    """The listening socket; ends the program with a clear error if there can't be one."""
    try:
        familia, _, _, _, direccion = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        enchufe = socket.create_server(direccion[:2], family=familia, backlog=1024)
    except OSError as error:
        motivo = str(error.strerror).partition(" (while")[0]
        sys.exit(f"error: can't listen on {host}:{port}: {motivo}. Free the port, or set BFF_HOST, BFF_PORT")
    if not ipaddress.ip_address(str(direccion[0])).is_loopback:
        print(f"warning: {host} is no loopback address: anyone who reaches it can use the API", file=sys.stderr)
    return enchufe


def servir(app: Any, enchufe: socket.socket, hilos: int) -> None:
    """Returns after a signal, when the requests in hand have been answered, or after GRACIA."""
    fin = threading.Event()
    servidor = waitress.server.create_server(
        app, {}, sockets=[enchufe], threads=hilos, ident=None, max_request_body_size=1 << 20, backlog=1024
    )
    servidor.channel_class = _Canal

    def parar(*_: object) -> None:
        fin.set()
        servidor.pull_trigger()

    signal.signal(signal.SIGTERM, parar)
    signal.signal(signal.SIGINT, parar)
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
    servidor.asyncore.loop(timeout=espera, map=servidor._map, count=1)


def main() -> None:
    ayuda = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser("python -m bff", description=__doc__, formatter_class=ayuda).parse_args()
    ajustes = Ajustes.del_entorno()
    logging.basicConfig(stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)
    bases = {"saga": ajustes.saga, "ordenes": ajustes.ordenes, "productos": ajustes.productos}
    enchufe = escuchar(ajustes.host, ajustes.port)
    try:
        cliente = conectar(ajustes.pulsar)
    except ValueError as error:
        sys.exit(f"error: PULSAR_SERVICE_URL is {ajustes.pulsar!r}: {error}")
    app = crear_app(
        Broker(cliente),
        Lecturas(**bases, hilos=ajustes.hilos),
        max_cantidad=ajustes.max_cantidad,
        max_esperas=ajustes.hilos // 2,
    )
    logging.info("listening on http://%s:%d, broker %s", ajustes.host, ajustes.port, ajustes.pulsar)
    servir(app, enchufe, ajustes.hilos)
    desconectar(cliente)
    logging.info("stopped")


if __name__ == "__main__":
    main()
