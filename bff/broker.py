"""Confirmed publishing: one Pulsar client for the process, and a fuse for when the broker is away."""

import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Final

import pulsar

from functions.comun.cluster import client_conf
from functions.comun.codec import Publicacion
from functions.comun.mensajes import TIPOS
from functions.comun.publicador import TENANT, EsquemaRechazado, Publicador

PLAZO_MS: Final = 1500
"""The broker has this long to confirm a message."""
CONEXION: Final = 1
"""The broker has this long to open a producer, in s: the client takes whole seconds."""
PACIENCIA: Final = 5.0
"""No request waits longer, in s: for the group before it, the producer, and its own group."""
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


class _Pedido:
    """A message, and what became of it: None if the broker has it."""

    __slots__ = ("mensaje", "resultado")

    def __init__(self, mensaje: Publicacion) -> None:
        self.mensaje = mensaje
        self.resultado: SimpleQueue[SinBroker | None] = SimpleQueue()


class _Via(threading.Thread):
    """The way to one topic. What comes while the broker stores a group of messages is the next group: to store one of
    them alone costs as much.
    """

    def __init__(self, cliente: Any, topic: str) -> None:
        super().__init__(name=topic, daemon=True)
        self.cola: SimpleQueue[_Pedido] = SimpleQueue()
        self._cliente = cliente
        self._publicador: Publicador | None = None
        self._reintento = 0.0
        self.start()

    def run(self) -> None:
        while True:
            grupo = [self.cola.get()]
            while not self.cola.empty():
                grupo.append(self.cola.get())
            fallo = self._publicar([pedido.mensaje for pedido in grupo])
            for pedido in grupo:
                pedido.resultado.put(fallo)

    def _publicar(self, mensajes: Sequence[Publicacion]) -> SinBroker | None:
        if self._publicador is None and time.monotonic() < self._reintento:
            return SinBroker("the broker did not answer a moment ago", enviado=False)
        try:
            # a producer that lost its broker would itself look for it again only after up to a minute
            self._publicador = self._publicador or Publicador(self._cliente, plazo_ms=PLAZO_MS)
            self._publicador.publicar(mensajes)
        except Exception as error:  # whatever it is, they wait for an answer
            return self._fallo(error)
        return None

    def _fallo(self, error: Exception) -> SinBroker:
        es_nuevo, self._reintento = time.monotonic() >= self._reintento, time.monotonic() + PAUSA
        self._publicador = None
        if es_nuevo:
            _log.warning("can't publish to %s: %s", self.name, error)
        fallo = SinBroker(f"the broker did not confirm: {error}", enviado=not isinstance(error, EsquemaRechazado))
        fallo.__cause__ = error
        return fallo


class Broker:
    """Publishes from any thread. While the broker is away there is an answer within 2 s."""

    def __init__(self, cliente: Any) -> None:
        self._cliente = cliente
        self._vias: dict[str, _Via] = {}
        self._candado = threading.Lock()

    def publicar(self, mensaje: Publicacion) -> None:
        """Returns when the broker has stored the message; else SinBroker."""
        pedido = _Pedido(mensaje)
        self._via(mensaje.topic).cola.put(pedido)
        try:
            fallo = pedido.resultado.get(timeout=PACIENCIA)
        except Empty:
            raise SinBroker("the broker did not answer in time", enviado=True) from None
        if fallo is not None:
            raise SinBroker(str(fallo), enviado=fallo.enviado) from fallo.__cause__

    def comprobar(self) -> None:
        """Raises SinBroker if the broker does not answer."""
        try:
            self._cliente.get_topic_partitions(f"persistent://{TENANT}/{next(iter(TIPOS))}")
        except pulsar.PulsarException as error:
            raise SinBroker(f"the broker does not answer: {error}", enviado=False) from error

    def _via(self, topic: str) -> _Via:
        with self._candado:
            if topic not in self._vias:
                self._vias[topic] = _Via(self._cliente, topic)
            return self._vias[topic]
