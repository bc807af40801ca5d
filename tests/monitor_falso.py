"""What a monitor looks at, as a test wants it: a cluster where all is well, with what differs; messages."""

import threading
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Final

from listen_print import Leido
from monitor_messages import Seguir, Tanda
from monitor_source import Mirada, esperado

from functions.comun.cluster.admin_rest import NoContesta

AHORA: Final = 1_800_000_000.0
"""When it is looked, in s since 1970-01-01 UTC."""
ESPERADO: Final = esperado()


def suscripcion(**otras: Any) -> dict[str, Any]:
    """As Pulsar 4.0.7 answers, without what nobody reads here."""
    sana = {
        "msgRateRedeliver": 0.0,
        "msgBacklog": 0,
        "earliestMsgPublishTimeInBacklog": -1,
        "msgDelayed": 0,
        "unackedMessages": 0,
        "lastConsumedTimestamp": int(AHORA * 1000) - 5000,
        "lastAckedTimestamp": int(AHORA * 1000) - 4000,
        "consumers": [{}],
        "isDurable": True,
    }
    return sana | otras


def stats(*suscripciones: str, **otras: Any) -> dict[str, Any]:
    sanas = {nombre: suscripcion(**({"consumers": []} if nombre == "cuarentena" else {})) for nombre in suscripciones}
    cifras = {"msgRateIn": 1.5, "msgRateOut": 2.5, "msgInCounter": 30, "msgOutCounter": 60, "storageSize": 2048}
    return {"subscriptions": sanas} | cifras | otras


def estado(**instancia: Any) -> dict[str, Any]:
    """Of a function with one instance."""
    suyo: dict[str, Any] = {
        "running": True,
        "error": "",
        "numRestarts": 0,
        "numSuccessfullyProcessed": 7,
        "numUserExceptions": 0,
        "latestUserExceptions": [],
        "numSystemExceptions": 0,
        "latestSystemExceptions": [],
        "lastInvocationTime": int(AHORA * 1000) - 3000,
    } | instancia
    corriendo = int(suyo["running"])
    return {"numInstances": 1, "numRunning": corriendo, "instances": [{"instanceId": 0, "status": suyo}]}


def sana(**otras: Any) -> Mirada:
    """`otras`: fields of the look."""
    topics: dict[str, Any] = {topic: stats(*nombres) for topic, nombres in ESPERADO.suscripciones.items()}
    return replace(Mirada(AHORA, topics, {funcion: estado() for funcion in ESPERADO.instancias}), **otras)


def con(mirada: Mirada, topic: str = "", funcion: str = "", **cambios: Any) -> Mirada:
    """With another answer about one topic or one function: `respuesta`; or of one subscription: its changed figures."""
    topics, funciones = deepcopy(dict(mirada.topics)), dict(mirada.funciones)
    if funcion:
        funciones[funcion] = cambios["respuesta"]
    elif "respuesta" in cambios:
        topics[topic] = cambios["respuesta"]
    else:
        cual = cambios.pop("suscripcion")
        topics[topic]["subscriptions"][cual] = suscripcion(**cambios)  # type: ignore[index]
    return replace(mirada, topics=dict(sorted(topics.items())), funciones=funciones)


@dataclass
class FuenteFalsa:
    """Shows `ahora`, which a test changes; a text is why the cluster is away."""

    ahora: Mirada | str
    url: str = "http://cluster"
    miradas: int = 0

    def mirar(self) -> Mirada:
        self.miradas += 1
        if isinstance(self.ahora, str):
            raise NoContesta(self.ahora)
        return self.ahora


@dataclass
class LecturasFalsas:
    """Messages of topics and of orders, by name or id; an exception is raised once."""

    mensajes: dict[str, list[Leido]]
    fallos: list[Exception] = field(default_factory=list)
    cerradas: threading.Event = field(default_factory=threading.Event)

    def de_topic(self, topic: str, seguir: Seguir) -> Iterator[Tanda]:
        if self.fallos:
            raise self.fallos.pop()
        vistos = 0
        while seguir():
            nuevos = self.mensajes.get(topic, [])[vistos:]
            vistos += len(nuevos)
            yield Tanda(nuevos, len(nuevos), True)

    def de_orden(self, id_orden: str, seguir: Seguir) -> Iterator[Tanda]:
        return self.de_topic(id_orden, seguir)

    def cerrar(self) -> None:
        self.cerradas.set()
