"""What a cluster should have, by the repository, and what its admin REST API answers about it, in one look."""

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import quote

from admin import TENANT
from package import configuraciones
from provision_cli import NAMESPACES, suscripciones
from topics import corto, sin_particion

from functions.comun.cluster.admin_rest import HILOS, Api, NoContesta

CIFRAS: Final = "getPreciseBacklog=true&subscriptionBacklogSize=true&getEarliestTimeInBacklog=true"


Respuesta = dict[str, Any] | str | None
"""A decoded answer; None: there is no such thing; a text: why it can't be read."""


@dataclass(frozen=True, slots=True)
class Esperado:
    """Topics, subscriptions and functions by their short names, `ordenes/crear-orden`."""

    suscripciones: Mapping[str, tuple[str, ...]]
    """Every topic with the subscriptions that it must have."""
    lectoras: Mapping[tuple[str, str], str]
    """Whose function a topic's subscription is."""
    instancias: Mapping[str, int]
    """How many each function is configured to have."""
    demoras: Mapping[str, float]
    """How much later than they are published a topic's messages are due, in s."""


def esperado() -> Esperado:
    todas = {f"{config['namespace']}/{config['name']}": config for config in configuraciones().values()}
    demoras: dict[str, float] = {}
    for config in todas.values():
        for topic, segundos in config["userConfig"].get("DEMORAS", {}).items():
            demoras[topic] = max(float(segundos), demoras.get(topic, 0.0))
    return Esperado(
        suscripciones={corto(topic): tuple(nombres) for topic, nombres in suscripciones().items()},
        lectoras={(corto(t), config["subName"]): f for f, config in todas.items() for t in config["inputSpecs"]},
        instancias={funcion: config["parallelism"] for funcion, config in todas.items()},
        demoras=demoras,
    )


@dataclass(frozen=True, slots=True)
class Mirada:
    """`hora`: when, in s since 1970-01-01 UTC; `sin_worker`: why the functions can't be looked at."""

    hora: float
    topics: Mapping[str, Respuesta]
    funciones: Mapping[str, Respuesta]
    sin_worker: str = ""
    particionados: frozenset[str] = field(default_factory=frozenset)


class Fuente(Protocol):
    @property
    def url(self) -> str: ...

    def mirar(self) -> Mirada:
        """Raises NoContesta if the cluster can't be read."""


class Cluster:
    """A real one. Of what the tenant has, the expected and everything else; not Pulsar's own topics."""

    def __init__(self, broker: Api, functions: Api, deseado: Esperado) -> None:
        self._broker, self._functions, self._deseado = broker, functions, deseado
        self._hilos = ThreadPoolExecutor(HILOS, "admin")
        self.url = broker.url

    def mirar(self) -> Mirada:
        namespaces = sorted({*(self._broker.leer(f"/admin/v2/namespaces/{TENANT}") or ()), *NAMESPACES})
        topics, particionados = self._topics(namespaces)
        sin_worker, funciones = "", dict.fromkeys(self._deseado.instancias, None)
        try:
            funciones = self._funciones(namespaces)
        except NoContesta as error:
            sin_worker = str(error)
        return Mirada(time.time(), topics, funciones, sin_worker, particionados)

    def _topics(self, namespaces: Iterable[str]) -> tuple[dict[str, Respuesta], frozenset[str]]:
        rutas = [f"/admin/v2/persistent/{namespace}" for namespace in namespaces]
        hay = _juntar(self._hilos.map(self._broker.leer, rutas))
        particionados = _juntar(self._hilos.map(self._broker.leer, [f"{ruta}/partitioned" for ruta in rutas]))
        nombres = {corto(sin_particion(topic)) for topic in hay | particionados if "/__" not in topic}
        partidos = frozenset(map(corto, particionados))

        def cifras(topic: str) -> Respuesta:
            cuales = f"partitioned-stats?perPartition=false&{CIFRAS}" if topic in partidos else f"stats?{CIFRAS}"
            dichas: Respuesta = self._broker.intentar(f"/admin/v2/persistent/{TENANT}/{quote(topic)}/{cuales}")
            return dichas

        todos = sorted(nombres | set(self._deseado.suscripciones))
        return dict(zip(todos, self._hilos.map(cifras, todos), strict=True)), partidos

    def _funciones(self, namespaces: Iterable[str]) -> dict[str, Respuesta]:
        base, nombres = "/admin/v3/functions/", set(self._deseado.instancias)
        for namespace in namespaces:
            propio = namespace.partition("/")[2]
            nombres |= {f"{propio}/{nombre}" for nombre in self._functions.leer(base + namespace) or ()}

        def estado(funcion: str) -> Respuesta:
            dicho: Respuesta = self._functions.intentar(f"{base}{TENANT}/{quote(funcion)}/status")
            return dicho

        todas = sorted(nombres)
        return dict(zip(todas, self._hilos.map(estado, todas), strict=True))


def _juntar(listas: Iterable[list[str] | None]) -> set[str]:
    return {topic for lista in listas for topic in lista or ()}
