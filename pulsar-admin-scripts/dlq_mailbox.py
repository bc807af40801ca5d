"""Dead-letter topics: how many letters each has, and reading them. Nothing is acknowledged unless told."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final, Self

import pulsar
from admin import TENANT
from dlq_letters import Carta, Posicion
from questions import brokers
from topics import PREFIJO, corto

from functions.comun.publicador import texto

SUSCRIPCION: Final = "cuarentena"
COLA: Final = 100
"""Letters that the client fetches ahead: each may have megabytes."""
PACIENCIA: Final = 10.0
"""Longest wait for a letter that the broker has counted, in s."""
RESTO: Final = 1.0
"""Longest wait for one that may not be there: the rest of a batch, or what chunks were counted as."""
PAUSA: Final = 1.2
"""Between the last acknowledgement and the others, in s: a broker writes down what was acknowledged at most once a
second, and what it skips only within a minute. The last one makes it write down all, for it may be killed."""


def topic(funcion: str) -> str:
    return f"{PREFIJO}{funcion}-dlq"


def contar(funciones: Sequence[str]) -> dict[str, int]:
    """How many letters each function has; one in several chunks counts as several."""
    rutas = [f"/admin/v2/persistent/{TENANT}/{funcion}-dlq/stats?getPreciseBacklog=true" for funcion in funciones]
    cuentas = {}
    for funcion, respuesta in zip(funciones, brokers(*rutas), strict=True):
        suscripciones = (respuesta or {"subscriptions": {}})["subscriptions"]
        if SUSCRIPCION not in suscripciones:
            sys.exit(f"error: {topic(funcion)} has no subscription {SUSCRIPCION}: run provision.py, which makes it")
        cuentas[funcion] = int(suscripciones[SUSCRIPCION]["msgBacklog"])
    return cuentas


class Buzon:
    """The letters of one function that were there when it was opened, oldest first. Open, nobody else can."""

    def __init__(self, cliente: pulsar.Client, funcion: str, cuantas: int) -> None:
        """`cuantas`, as `contar` says: to know when the last has come."""
        self._funcion, self._faltan = funcion, cuantas
        self._hasta, self._en_trozos = Posicion(-1, -1), False
        self._acusadas: set[Posicion] = set()
        self._ultima: Any = None
        self.incompleto = False
        try:
            self._consumidor = cliente.subscribe(
                topic(funcion), SUSCRIPCION, receiver_queue_size=COLA, max_pending_chunked_message=0
            )
        except pulsar.ConsumerBusy:
            sys.exit(f"error: somebody else is at work on {topic(funcion)}: let them end, then run this again")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Sends what was acknowledged, and gives the other letters back."""
        if len(self._acusadas) > 1:
            time.sleep(PAUSA)
        if self._ultima is not None:
            self._consumidor.acknowledge(self._ultima)
        if self._acusadas and not self._consumidor.is_connected():
            aviso = "the connection broke: letters just done may be listed again; to do them twice does no harm"
            print(f"warning: {corto(topic(self._funcion))}: {aviso}", file=sys.stderr)
        self._consumidor.close()

    def __iter__(self) -> Iterator[Carta]:
        """Each letter once, also if the broker goes away meanwhile. Sets `incompleto` if some did not come."""
        final = _posicion(self._consumidor.get_last_message_id())
        while self._hasta < final and (self._faltan > 0 or self._hasta.indice >= 0):
            if (carta := self._recibir()) is None:
                break
            if carta.posicion.lugar != self._hasta.lugar:
                if self._faltan <= 0:
                    break  # the rest of a batch was awaited, and this is a newer letter
                self._faltan -= 1
            self._hasta = carta.posicion
            yield carta
        self.incompleto = self._hasta < final and self._faltan > 0 and not self._en_trozos

    def acusar(self, carta: Carta) -> None:
        """Takes a letter out of the topic; the last one only at the end."""
        if self._ultima is not None:
            self._consumidor.acknowledge(self._ultima)
        self._acusadas.add(carta.posicion)
        self._ultima = carta.recibo

    def _recibir(self) -> Carta | None:
        """The next letter; None if it does not come."""
        espera = PACIENCIA if self._faltan > 0 and not self._en_trozos else RESTO
        limite = time.monotonic() + espera
        while time.monotonic() < limite:
            with suppress(pulsar.Timeout):
                mensaje = self._consumidor.receive(timeout_millis=500)
                limite = time.monotonic() + espera
                posicion = _posicion(mensaje.message_id())
                if posicion > self._hasta:
                    self._en_trozos |= ";" in str(mensaje.message_id())
                    return _carta(self._funcion, posicion, mensaje)
                if posicion in self._acusadas:  # it comes again: the acknowledgement was lost with the connection
                    self._consumidor.acknowledge(mensaje.message_id())
        return None


def _posicion(recibo: Any) -> Posicion:
    return Posicion(recibo.ledger_id(), recibo.entry_id(), recibo.batch_index())


def _carta(funcion: str, posicion: Posicion, mensaje: pulsar.Message) -> Carta:
    return Carta(
        funcion=funcion,
        posicion=posicion,
        clave=texto(mensaje.partition_key, ""),
        cuerpo=mensaje.data(),
        propiedades=texto(mensaje.properties, {}),
        publicada=mensaje.publish_timestamp(),
        recibo=mensaje.message_id(),
    )
