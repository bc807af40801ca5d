"""Dead letters: what one says of itself, and which ones an operator means."""

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from topics import sin_particion

from functions.comun.ids import Id

_TOPIC: Final = re.compile(r"persistent://([\w.=:-]+/){2}[\w.=:-]+", re.ASCII)
_ID: Final = re.compile(r"([\w-]+):(\d+):(\d+)(?::(\d+))?")


@dataclass(frozen=True, slots=True, order=True)
class Posicion:
    """Of a letter in its dead-letter topic. `indice` is -1 unless it was published by hand, in a batch."""

    ledger: int
    entrada: int
    indice: int = -1

    @property
    def lugar(self) -> tuple[int, int]:
        """What a whole batch shares."""
        return self.ledger, self.entrada


@dataclass(frozen=True, slots=True)
class Carta:
    """A dead letter. Properties of one that was published by hand may be missing or nonsense."""

    funcion: str
    """<namespace>/<name>"""
    posicion: Posicion
    clave: str
    cuerpo: bytes
    propiedades: Mapping[str, str]
    publicada: int
    """When it came into the dead-letter topic, in ms since 1970-01-01 UTC."""
    recibo: Any = field(compare=False, default=None)
    """The client's own message id, to acknowledge it with."""

    @property
    def id(self) -> str:
        ledger, entrada, indice = self.posicion.ledger, self.posicion.entrada, self.posicion.indice
        return f"{self.funcion.partition('/')[2]}:{ledger}:{entrada}" + (f":{indice}" if indice >= 0 else "")

    @property
    def topic(self) -> str | None:
        """Where the message was, full name without partition; None too if that is no topic's name."""
        topic = self.propiedades.get("dlq-topic", "")
        return sin_particion(topic) if _TOPIC.fullmatch(topic) else None  # the client library crashes on others

    @property
    def version(self) -> int | None:
        """Of the schema that the message was written in; -1 if it came without one."""
        return _entero(self.propiedades.get("dlq-schema-version"))

    @property
    def intentos(self) -> int | None:
        return _entero(self.propiedades.get("dlq-attempts"))

    @property
    def motivo(self) -> str:
        return self.propiedades.get("dlq-reason", "")

    @property
    def hora(self) -> datetime:
        """When it was quarantined; if it does not say, when it came into its topic."""
        with suppress(OverflowError, OSError, ValueError):
            return _momento(_entero(self.propiedades.get("dlq-time")) or self.publicada)
        return _momento(self.publicada)

    @property
    def reenvios(self) -> int:
        """How often the message was redriven before."""
        return max(0, _entero(self.propiedades.get("dlq-redriven")) or 0)

    @property
    def originales(self) -> dict[str, str]:
        """The properties that the message itself had."""
        return {clave: valor for clave, valor in self.propiedades.items() if not clave.startswith("dlq-")}


def leer_id(texto: str) -> tuple[str, Posicion]:
    """The function's name and the position that an id stands for; ValueError."""
    if not (partes := _ID.fullmatch(texto)):
        raise ValueError(f"{texto!r} is no id of a letter: they look like crear-orden:12:0, `list` shows them")
    nombre, *numeros = partes.groups(default="-1")
    return nombre, Posicion(*map(int, numeros))


@dataclass(frozen=True, slots=True)
class Filtro:
    """Which letters; what is None does not matter."""

    ids: frozenset[tuple[str, Posicion]] | None = None
    motivo: re.Pattern[str] | None = None
    topic: str | None = None
    desde: datetime | None = None
    hasta: datetime | None = None
    orden: Id | None = None
    transaccion: Id | None = None

    def elige(self, carta: Carta, datos: Mapping[str, Any]) -> bool:
        """True if the letter is meant; `datos` is its message's payload, empty if nobody can read it."""
        return (
            (self.ids is None or (carta.funcion.partition("/")[2], carta.posicion) in self.ids)
            and (self.motivo is None or self.motivo.search(carta.motivo) is not None)
            and (self.topic is None or carta.topic == self.topic)
            and (self.desde is None or carta.hora >= self.desde)
            and (self.hasta is None or carta.hora < self.hasta)
            and (self.orden is None or datos.get("id_orden") == self.orden)
            and (self.transaccion is None or datos.get("transaction_id") == self.transaccion)
        )


def _entero(texto: str | None) -> int | None:
    return int(texto) if texto is not None and re.fullmatch(r"-?\d{1,18}", texto, re.ASCII) else None


def _momento(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
