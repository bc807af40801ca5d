"""Several topics at once: their messages as they come, in the order in which they were published."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pulsar
from topics import PREFIJO

LOTE: Final = 500
"""Messages of a topic that are held here, and as many again in the client; ours have at most 64 KiB."""
LOTE_CARTAS: Final = 20
"""Of a dead-letter topic: each may have megabytes."""
ESPERA: Final = 1
"""For a message of one topic, in ms, if no topic is known to have more."""
Recibido = tuple[int, Any]
"""When a message was published, in ms since 1970-01-01 UTC, but not before the one before it; and the client's own."""


class Lector:
    """One topic. A Reader's subscription ends with its connection: nothing stays in the cluster."""

    def __init__(self, cliente: pulsar.Client, topic: str, inicio: pulsar.MessageId, desde: int) -> None:
        """`desde`: leaves out what was published before, in ms since 1970-01-01 UTC."""
        self.topic, self._desde, self._ultima = topic, desde, 0
        self._lote = LOTE_CARTAS if topic.endswith("-dlq") else LOTE
        self.cola: deque[Recibido] = deque()
        self.lector = cliente.create_reader(PREFIJO + topic, inicio, receiver_queue_size=self._lote)
        if desde:
            self.lector.seek(desde)

    @property
    def lleno(self) -> bool:
        """True if there may be more than it holds."""
        return len(self.cola) >= self._lote

    def llenar(self, espera: int) -> bool:
        """True if something came."""
        antes = len(self.cola)
        while not self.lleno:
            try:
                mensaje = self.lector.read_next(espera)
            except pulsar.Timeout:
                break
            if (hora := mensaje.publish_timestamp()) >= self._desde:
                self._ultima = max(self._ultima, hora)
                self.cola.append((self._ultima, mensaje))
        return len(self.cola) > antes

    def sacar(self, hasta: float) -> Iterator[tuple[int, str, Any]]:
        while self.cola and self.cola[0][0] <= hasta:
            hora, mensaje = self.cola.popleft()
            yield hora, self.topic, mensaje


class Escucha:
    """All topics that are listened to."""

    def __init__(self, cliente: pulsar.Client, topics: Sequence[str], inicio: pulsar.MessageId, desde: int = 0) -> None:
        self._lectores = [Lector(cliente, topic, inicio, desde) for topic in topics]
        self._visto = 0

    @property
    def atrasada(self) -> bool:
        """True if there is more than was read."""
        return any(lector.lleno for lector in self._lectores)

    @property
    def conectada(self) -> bool:
        return all(lector.lector.is_connected() for lector in self._lectores)

    def cerrar(self) -> None:
        """For who goes on with the client; else its end is theirs."""
        for lector in self._lectores:
            lector.lector.close()

    def leer(self) -> list[tuple[str, Any]]:
        """What came, with its topic. The newest waits for the next call: its cause may be in a topic read before."""
        espera = 0 if self.atrasada else ESPERA
        nuevo = sum(lector.llenar(espera) for lector in self._lectores) > 0
        topes = [lector.cola[-1][0] for lector in self._lectores if lector.lleno]
        if nuevo and not topes:
            topes = [self._visto]
        self._visto = max([self._visto, *(lector.cola[-1][0] for lector in self._lectores if lector.cola)])
        tope = min(topes, default=self._visto)
        salida = sorted((uno for lector in self._lectores for uno in lector.sacar(tope)), key=lambda uno: uno[0])
        return [(topic, mensaje) for _, topic, mensaje in salida]
