"""The Pulsar client of the scripts, for whatever cluster pulsar-admin is set up for: the same client.conf."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

import pulsar

from functions.comun.cluster import client_conf
from functions.comun.publicador import NoPublicado

PLAZO: Final = 10
"""Longest wait for the broker's answer, in s."""
ENTORNO: Final = "  PULSAR_LOG                  /dev/null               a file for the Pulsar client's own log\n"


def conectar() -> pulsar.Client:
    """A client, which connects when first used; ends the program if the settings can't be used."""
    url = _url()
    registro = pulsar.FileLogger(pulsar.LoggerLevel.Warn, os.environ.get("PULSAR_LOG", os.devnull))
    try:
        conf = client_conf.opciones(client_conf.de_entorno())
        return pulsar.Client(url, logger=registro, operation_timeout_seconds=PLAZO, **conf)
    except (OSError, ValueError) as error:
        archivo = os.environ.get("PULSAR_CLIENT_CONF")
        sys.exit(f"error: can't use PULSAR_SERVICE_URL={url}, PULSAR_CLIENT_CONF={archivo}: {error}")


def con_cliente(trabajo: Callable[[pulsar.Client], int], interrumpido: str) -> int:
    """`programa`, with a client that is closed at its end."""

    def todo() -> int:
        cliente = conectar()
        try:
            return trabajo(cliente)
        finally:
            with suppress(pulsar.PulsarException):
                cliente.close()

    return programa(todo, interrumpido)


def programa(trabajo: Callable[[], int], interrumpido: str) -> int:
    """A program's exit code: what `trabajo` returns, or 1, 130 or 141 after what ended it was said."""
    for salida in (sys.stdout, sys.stderr):
        salida.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # what the terminal can't show
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        codigo = trabajo()
        sys.stdout.flush()
        return codigo
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python still flushes at its end
        return 141
    except KeyboardInterrupt:
        print(interrumpido, file=sys.stderr)
        return 130
    except (pulsar.PulsarException, NoPublicado) as error:
        print(f"error: {_que(error)}; PULSAR_LOG=FILE makes the client say more", file=sys.stderr)
        return 1


@contextmanager
def avisando() -> Iterator[None]:
    """Says what is waited for, if it takes longer than 2 s."""
    aviso = threading.Timer(2, lambda: print(f"waiting for the broker at {_url()} …", file=sys.stderr, flush=True))
    aviso.daemon = True
    aviso.start()
    try:
        yield
    finally:
        aviso.cancel()


def _url() -> str:
    return os.environ.get("PULSAR_SERVICE_URL", "pulsar://127.0.0.1:6650")


def _que(error: Exception) -> str:
    """What went wrong, and what to do."""
    que = f"{type(error).__name__}: {error}"
    if isinstance(error, pulsar.TopicNotFound):
        return f"{que}: the topic does not exist: run provision.py, which makes it"
    if isinstance(error, (pulsar.Timeout, pulsar.ConnectError)):
        return f"{que}: the broker at {_url()} does not answer: is it up, and is PULSAR_SERVICE_URL right?"
    return que
