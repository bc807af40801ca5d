"""Many clients in a closed loop: each sends its next request as soon as the last one is answered.

One thread and epoll for all of them: the generator runs on the cores that it measures.
"""

import select
import socket
import time
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final

from tests.load.peticiones import completa

GRACIA: Final = 30.0
"""Answers are awaited so long after the last request, in s."""


@dataclass
class Ronda:
    """`respuestas` counts statuses, and "closed" and "no answer"."""

    latencias: "array[float]" = field(default_factory=lambda: array("d"))
    """Of all answers, in s."""
    respuestas: Counter[str] = field(default_factory=Counter)
    a_tiempo: int = 0
    """Answered 202 while the clients still sent."""
    inicio: float = 0.0
    """On the monotonic clock."""


class _Cliente:
    def __init__(self, direccion: tuple[str, int]) -> None:
        self.direccion = direccion
        self.enchufe = socket.create_connection(direccion, timeout=10)
        self.enchufe.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.bufer = bytearray()
        self.enviada = 0.0

    def enviar(self, cruda: bytes) -> None:
        self.bufer.clear()
        self.enviada = time.monotonic()
        self.enchufe.sendall(cruda)

    def leer(self) -> str | None:
        """The status, "closed", or None if there is more to come."""
        try:
            trozo = self.enchufe.recv(65536)
        except ConnectionError:
            trozo = b""
        if not trozo:
            return "closed"
        self.bufer += trozo
        leida = completa(self.bufer)
        return None if leida is None else str(leida[0])


def correr(direccion: tuple[str, int], cuantos: int, peticiones: Sequence[bytes], segundos: float) -> Ronda:
    """`cuantos` clients for so long, and until all that was sent is answered."""
    ronda, siguientes, sondeo = Ronda(), cycle(peticiones), select.epoll()
    clientes: dict[int, _Cliente] = {}

    def nuevo() -> None:
        cliente = _Cliente(direccion)
        clientes[cliente.enchufe.fileno()] = cliente
        sondeo.register(cliente.enchufe.fileno(), select.EPOLLIN)
        cliente.enviar(next(siguientes))

    def despedir(descriptor: int) -> None:
        sondeo.unregister(descriptor)
        clientes.pop(descriptor).enchufe.close()

    ronda.inicio = time.monotonic()
    fin = ronda.inicio + segundos
    for _ in range(cuantos):
        nuevo()
    while clientes and time.monotonic() < fin + GRACIA:
        for descriptor, _ in sondeo.poll(0.1):
            if (estado := clientes[descriptor].leer()) is None:
                continue
            _contar(ronda, estado, clientes[descriptor], fin)
            if time.monotonic() < fin and estado != "closed":
                clientes[descriptor].enviar(next(siguientes))
                continue
            despedir(descriptor)
            if time.monotonic() < fin:
                nuevo()
    for descriptor in list(clientes):
        ronda.respuestas["no answer"] += 1
        despedir(descriptor)
    sondeo.close()
    return ronda


def _contar(ronda: Ronda, estado: str, cliente: _Cliente, fin: float) -> None:
    ahora = time.monotonic()
    ronda.respuestas[estado] += 1
    if estado != "closed":
        ronda.latencias.append(ahora - cliente.enviada)
    ronda.a_tiempo += estado == "202" and ahora <= fin
