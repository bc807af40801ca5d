"""Messages for the live view: the newest of a topic, and all that topics still have of one order."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import quote

import pulsar
from admin import TENANT
from listen_print import Leido, leido
from listen_topics import Escucha
from topics import cartas
from writer_schemas import Esquemas

from functions.comun.cluster.admin_rest import Api, NoContesta
from functions.comun.mensajes import TIPOS

CUANTOS: Final = 50
"""Entries of a topic that are shown from before it was looked at; a batch of messages is one."""
Seguir = Callable[[], bool]
"""False once nobody looks any more."""


@dataclass(frozen=True, slots=True)
class Tanda:
    """What came since the one before, perhaps nothing. `leidos`: of how many it was chosen."""

    mensajes: Sequence[Leido]
    leidos: int
    conectada: bool


class Lecturas(Protocol):
    """Both go on until nobody looks any more, and raise pulsar.PulsarException or NoContesta."""

    def de_topic(self, topic: str, seguir: Seguir) -> Iterator[Tanda]: ...

    def de_orden(self, id_orden: str, seguir: Seguir) -> Iterator[Tanda]: ...

    def cerrar(self) -> None: ...


class Mensajes:
    """Of a real cluster. Readers leave nothing behind."""

    def __init__(self, cliente: pulsar.Client, broker: Api) -> None:
        self._cliente, self._broker, self.cerrar = cliente, broker, cliente.close

    def de_topic(self, topic: str, seguir: Seguir) -> Iterator[Tanda]:
        interno = self._broker.leer(f"/admin/v2/persistent/{TENANT}/{quote(topic)}/internalStats")
        if interno is None:
            raise NoContesta(f"{topic} is missing, or has partitions, whose messages are not shown here")
        return self._leer([topic], inicio(interno), lambda _: True, seguir)

    def de_orden(self, id_orden: str, seguir: Seguir) -> Iterator[Tanda]:
        def suyo(uno: Leido) -> bool:
            return str(uno.lectura.datos.get("id_orden")) == id_orden

        return self._leer([*sorted(TIPOS), *cartas()], pulsar.MessageId.earliest, suyo, seguir)

    def _leer(
        self, topics: Sequence[str], desde: Any, elegido: Callable[[Leido], bool], seguir: Seguir
    ) -> Iterator[Tanda]:
        esquemas, escucha = Esquemas(self._cliente), Escucha(self._cliente, topics, desde)
        try:
            while seguir():
                todos = [leido(esquemas, topic, mensaje) for topic, mensaje in escucha.leer()]
                yield Tanda([uno for uno in todos if elegido(uno)], len(todos), escucha.conectada)
        finally:
            escucha.cerrar()


def inicio(interno: Mapping[str, Any], cuantos: int = CUANTOS) -> Any:
    """The id before a topic's last `cuantos` entries, by its internalStats; a Reader begins after it."""
    for ledger in reversed(interno["ledgers"]):
        numero, entradas = ledger["ledgerId"], ledger["entries"]
        if interno["lastConfirmedEntry"].startswith(f"{numero}:"):  # the one that is being written counts none yet
            entradas = int(interno["lastConfirmedEntry"].partition(":")[2]) + 1
        if entradas >= cuantos:
            return pulsar.MessageId(-1, numero, entradas - cuantos - 1, -1)
        cuantos -= entradas
    return pulsar.MessageId.earliest
