"""What is not as it should be: pure rules over the rows of one look.

Unhealthy is:
  - a topic, a subscription or a function that this repository has and the cluster has not
  - a function with fewer running instances than configured, or one that restarted within the live view's last 10 s
    (--once and --json look once, and see no restart)
  - a subscription of a function without a consumer
  - a durable subscription whose oldest unacknowledged message has been due for longer than --max-age seconds, by this
    machine's clock. Messages for later (userConfig DEMORAS in deployment/functions) are due when that time is over
  - a dead letter that waits (dlq.py list)
  - what can't be read, a functions worker that does not answer included
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from dlq_mailbox import SUSCRIPCION
from monitor_rows import Cuadro, Funcion, Suscripcion, Topic

MAX_EDAD: Final = 60.0
"""Of the oldest unacknowledged message, in s."""
Cosa = Literal["cluster", "topic", "subscription", "function", "dead letters"]


@dataclass(frozen=True, slots=True)
class Queja:
    """`de`: which one; `estado`: in a word; `texto`: for whom sees nothing else."""

    cosa: Cosa
    de: str
    estado: str
    texto: str


def quejas(cuadro: Cuadro, max_edad: float = MAX_EDAD) -> list[Queja]:
    todas: list[Queja] = []
    if cuadro.sin_worker:
        todas.append(
            Queja("cluster", "functions", "away", f"no functions worker (PULSAR_FUNCTIONS_URL): {cuadro.sin_worker}")
        )
    else:
        todas += [queja for funcion in cuadro.funciones for queja in _de_funcion(funcion)]
    for topic in cuadro.topics:
        todas += _de_topic("topic", topic)
        todas += [queja for una in topic.suscripciones for queja in _de_suscripcion(una, max_edad)]
    return todas + [queja for carta in cuadro.cartas for queja in _de_cartas(carta)]


def clave(suscripcion: Suscripcion) -> str:
    return f"{suscripcion.topic} {suscripcion.nombre}"


def _de_funcion(una: Funcion) -> Iterator[Queja]:
    def queja(estado: str, texto: str) -> Queja:
        return Queja("function", una.nombre, estado, f"function {una.nombre} {texto}")

    if not una.presente:
        yield queja("missing", "is missing: run deploy.py")
    elif una.ilegible:
        yield queja("unreadable", f"can't be looked at: {una.ilegible}")
    else:
        if una.corriendo < una.instancias:
            que = f"runs {una.corriendo} of {una.instancias} instances"
            yield queja("not running", f"{que}: {una.ultimo_error}" if una.ultimo_error else que)
        if una.reinicios_nuevos:
            yield queja("restarting", f"restarted {una.reinicios_nuevos} times since the look before")


def _de_topic(cosa: Cosa, topic: Topic) -> Iterator[Queja]:
    if not topic.presente:
        yield Queja(cosa, topic.nombre, "missing", f"topic {topic.nombre} is missing: run provision.py")
    elif topic.ilegible:
        yield Queja(cosa, topic.nombre, "unreadable", f"topic {topic.nombre} can't be looked at: {topic.ilegible}")


def _de_suscripcion(una: Suscripcion, max_edad: float) -> Iterator[Queja]:
    def queja(estado: str, texto: str) -> Queja:
        return Queja("subscription", clave(una), estado, f"subscription {una.nombre} of {una.topic} {texto}")

    if not una.presente:
        yield queja("missing", "is missing: run provision.py")
    elif una.durable:
        if una.funcion and not una.consumidores:
            yield queja("no consumer", "has no consumer")
        if una.edad is not None and una.edad > max_edad:
            yield queja("late", f"is late: its oldest message has been due for {una.edad:.0f} s")


def _de_cartas(carta: Topic) -> Iterator[Queja]:
    yield from _de_topic("dead letters", carta)
    for una in carta.suscripciones:
        if una.nombre == SUSCRIPCION and not una.presente:
            texto = f"subscription {una.nombre} of {una.topic} is missing: run provision.py"
            yield Queja("dead letters", carta.nombre, "missing", texto)
        elif una.nombre == SUSCRIPCION and una.atraso:
            cuantas = f"{una.atraso} dead letter{'s' * (una.atraso > 1)}"
            yield Queja("dead letters", carta.nombre, "letters", f"{cuantas} in {carta.nombre}: see dlq.py list")
