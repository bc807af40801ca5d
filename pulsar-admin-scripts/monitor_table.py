"""The four tables, as text: for `--once` and for the live view."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from monitor_health import Cosa, Queja, clave
from monitor_rows import Cuadro, Funcion, Suscripcion, Topic
from terminal import seguro


@dataclass(frozen=True, slots=True)
class Fila:
    """`clave` names what it is about; `estado`: what is wrong with it, "ok" if nothing is."""

    clave: str
    estado: str
    celdas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hoja:
    """One table; the column STATE comes before the others."""

    titulo: str
    cabezas: tuple[str, ...]
    filas: tuple[Fila, ...]


CABEZAS: Final = {
    "Topics": ("TOPIC", "IN/s", "OUT/s", "MESSAGES", "STORED", "BACKLOG", "OLDEST"),
    "Subscriptions": (
        *("TOPIC", "SUBSCRIPTION", "BACKLOG", "LATER", "OLDEST", "UNACKED", "REDELIVERED/s", "CONSUMERS"),
        *("ACKED", "CONSUMED"),
    ),
    "Functions": ("FUNCTION", "RUNNING", "RESTARTS", "PROCESSED", "EXCEPTIONS", "INVOKED", "LAST ERROR"),
    "Dead letters": ("TOPIC", "LETTERS", "OLDEST", "STORED"),
}
IZQUIERDA: Final = frozenset({"TOPIC", "SUBSCRIPTION", "FUNCTION", "LAST ERROR"})
"""Columns that are text."""


def hojas(cuadro: Cuadro, quejas: Sequence[Queja]) -> list[Hoja]:
    estados = {(queja.cosa, queja.de): queja.estado for queja in reversed(quejas)}

    def fila(cosa: Cosa, de: str, *celdas: object) -> Fila:
        return Fila(de, estados.get((cosa, de), "ok"), tuple(seguro(str(celda)) for celda in celdas))

    filas = {
        "Topics": [fila("topic", topic.nombre, *_topic(topic)) for topic in cuadro.topics],
        "Subscriptions": [fila("subscription", clave(s), *_suscripcion(s, cuadro.hora)) for s in cuadro.suscripciones],
        "Functions": [fila("function", f.nombre, *_funcion(f, cuadro.hora)) for f in cuadro.funciones],
        "Dead letters": [fila("dead letters", carta.nombre, *_carta(carta)) for carta in cuadro.cartas],
    }
    return [Hoja(titulo, CABEZAS[titulo], tuple(filas[titulo])) for titulo in CABEZAS]


def _topic(topic: Topic) -> tuple[object, ...]:
    ritmos = f"{topic.entrada:.1f}", f"{topic.salida:.1f}"
    return topic.nombre, *ritmos, topic.mensajes, bytes_(topic.guardado), topic.atraso, edad(topic.edad)


def _suscripcion(una: Suscripcion, ahora: float) -> tuple[object, ...]:
    cifras = una.atraso, una.para_luego, edad(una.edad), una.sin_acuse, f"{una.reentregas:.1f}", una.consumidores
    return una.topic, una.nombre, *cifras, hace(una.ultimo_acuse, ahora), hace(una.ultimo_consumo, ahora)


def _funcion(una: Funcion, ahora: float) -> tuple[object, ...]:
    cifras = f"{una.corriendo}/{una.instancias}", una.reinicios, una.procesados, una.excepciones
    return una.nombre, *cifras, hace(una.ultima_invocacion, ahora), una.ultimo_error or una.ilegible


def _carta(carta: Topic) -> tuple[object, ...]:
    return carta.nombre, carta.atraso, edad(carta.edad), bytes_(carta.guardado)


def bytes_(cuantos: float) -> str:
    if cuantos < 1000:
        return f"{cuantos:.0f} B"
    for unidad in ("kB", "MB", "GB"):
        cuantos /= 1000
        if cuantos < 1000:
            return f"{cuantos:.1f} {unidad}"
    return f"{cuantos / 1000:.1f} TB"


def edad(segundos: float | None) -> str:
    """To be read at a glance."""
    if segundos is None:
        return "–"
    for tope, unidad, siguiente in ((120, "s", 60), (120, "min", 60), (48, "h", 24)):
        if segundos < tope:
            return f"{segundos:.0f} {unidad}"
        segundos /= siguiente
    return f"{segundos:.0f} d"


def hace(momento: float | None, ahora: float) -> str:
    return "–" if momento is None else f"{edad(max(0.0, ahora - momento))} ago"
