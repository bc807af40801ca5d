"""Confirmed publishing: one Pulsar client for the process, and a fuse for when the broker is away."""

import logging
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import pulsar

from functions.comun.cluster import client_conf
from functions.comun.codec import Publicacion
from functions.comun.mensajes import TIPOS
from functions.comun.publicador import TENANT, EsquemaRechazado, NoPublicado, Publicador

PLAZO_MS: Final = 1500
"""The broker has this long to confirm a message."""
ESPERA_MS: Final = 2
"""Requests at the same time wait so long for each other, at most: an entry for each message costs the broker more."""
CONEXION: Final = 1
"""The broker has this long to open a producer, in s: the client takes whole seconds."""
PACIENCIA: Final = 0.5
"""A request waits this long, in s, for another one that is just opening the producer."""
PAUSA: Final = 1.0
"""After a failure requests fail at once for this long, in s; then one of them tries again."""

_log = logging.getLogger(__name__)


class SinBroker(Exception):
    """No confirmation. `enviado`: the broker may have stored the message nevertheless."""

    def __init__(self, detalle: str, *, enviado: bool) -> None:
        super().__init__(detalle)
        self.enviado = enviado


def conectar(url: str, conf: Mapping[str, str]) -> Any:
    """A Pulsar client, which connects when first used. `conf`: a client.conf, as client_conf.py reads it.

    Its own log repeats each failure several times a second. Raises ValueError and OSError for what can't be used.
    """
    registro = pulsar.FileLogger(pulsar.LoggerLevel.Warn, os.environ.get("BFF_PULSAR_LOG", os.devnull))
    plazos = {"operation_timeout_seconds": CONEXION, "connection_timeout_ms": 1000 * CONEXION}
    return pulsar.Client(url, logger=registro, **plazos, **client_conf.opciones(conf))


def desconectar(cliente: Any) -> None:
    """Waits up to CONEXION for the broker's farewell."""
    with suppress(pulsar.PulsarException):
        cliente.close()


class _Via:
    """The way to one topic. `abierta` once a message went through, until one doesn't."""

    def __init__(self) -> None:
        self.abierta: Publicador | None = None
        self.reintento = 0.0
        self.turno = threading.Lock()


class Broker:
    """Publishes from any thread; an answer, good or bad, within 2 s."""

    def __init__(self, cliente: Any) -> None:
        self._cliente = cliente
        self._vias = {topic: _Via() for topic in TIPOS}

    def publicar(self, mensaje: Publicacion) -> None:
        """Returns when the broker has stored the message; else SinBroker."""
        via = self._vias[mensaje.topic]
        if (publicador := via.abierta) is not None:
            return self._enviar(via, publicador, mensaje)
        if not via.turno.acquire(timeout=PACIENCIA):
            raise SinBroker("the broker does not answer", enviado=False)
        try:
            self._abrir(via, mensaje)
        finally:
            via.turno.release()

    def comprobar(self) -> None:
        """Raises SinBroker if the broker does not answer."""
        try:
            self._cliente.get_topic_partitions(f"persistent://{TENANT}/{next(iter(TIPOS))}")
        except pulsar.PulsarException as error:
            raise SinBroker(f"the broker does not answer: {error}", enviado=False) from error

    def _abrir(self, via: _Via, mensaje: Publicacion) -> None:
        """For one request at a time: a client whose broker is away makes each caller wait in line."""
        if (publicador := via.abierta) is None:
            if time.monotonic() < via.reintento:
                raise SinBroker("the broker did not answer a moment ago", enviado=False)
            # a producer that lost its broker would itself look for it again only after up to a minute
            publicador = Publicador(self._cliente, plazo_ms=PLAZO_MS, espera_ms=ESPERA_MS)
        self._enviar(via, publicador, mensaje)
        via.abierta = publicador

    def _enviar(self, via: _Via, publicador: Publicador, mensaje: Publicacion) -> None:
        try:
            publicador.publicar([mensaje])
        except (NoPublicado, pulsar.PulsarException) as error:
            if via.abierta is publicador:
                via.abierta = None
            es_nuevo, via.reintento = time.monotonic() >= via.reintento, time.monotonic() + PAUSA
            if es_nuevo:
                _log.warning("can't publish to %s: %s", mensaje.topic, error)
            enviado = not isinstance(error, EsquemaRechazado)
            raise SinBroker(f"the broker did not confirm: {error}", enviado=enviado) from error
