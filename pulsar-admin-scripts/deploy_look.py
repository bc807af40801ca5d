"""What can be seen of functions at one moment: their instances, who consumes their topics, their dead letters."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from admin import TENANT, Respuesta, ejecutar, url_admin, url_functions
from deploy_plan import quien
from dlq_mailbox import SUSCRIPCION, topic
from topics import corto

Config = Mapping[str, Any]
_PROPIEDAD: Final = re.compile(r"^([a-z][a-z-]*) {4}", re.MULTILINE)
_VOLCADO: Final = re.compile(r"^ +\+-", re.MULTILINE)
"""Where the message's bytes begin, in hexadecimal."""


@dataclass(frozen=True, slots=True)
class Vista:
    """One function. `mal`: why it does not run or consume, empty if it does; `error`: what its last death said."""

    mal: str = "not seen yet"
    consumidores: Mapping[str, datetime] | None = None
    """Of its subscriptions: the consumers of its instances, and since when they are connected."""
    reinicios: int = 0
    excepciones: tuple[str, ...] = ()
    """The latest of each instance, tracebacks."""
    error: str = ""
    cartas: int = 0
    """Dead letters of its topic."""

    @property
    def nombres(self) -> frozenset[str]:
        return frozenset(self.consumidores or ())


def mirar(configs: Mapping[str, Config]) -> dict[str, Vista]:
    """One look at each function."""
    entradas = sorted({entrada for config in configs.values() for entrada in config["inputSpecs"]})
    topics = entradas + sorted({cartas_de(config) for config in configs.values()})
    estados = [["functions", "status", *quien(config)] for config in configs.values()]
    with ThreadPoolExecutor() as hilos:
        respuestas = hilos.submit(ejecutar, estados, url_functions())
        cifras = dict(zip(topics, _cifras(topics), strict=True))
    return {
        nombre: _vista(config, respuesta, cifras)
        for (nombre, config), respuesta in zip(configs.items(), respuestas.result(), strict=True)
    }


def cartas_de(config: Config) -> str:
    """The dead-letter topic; a canary's is that of the function it is a canary of."""
    return topic(f"{config['namespace']}/{config['userConfig'].get('FUNCION', config['name'])}")


def ultima_carta(config: Config) -> dict[str, str]:
    """The properties of the newest dead letter; none if there is none."""
    orden = ["topics", "examine-messages", "-i", "latest", "-m", "1", cartas_de(config)]
    return propiedades(ejecutar([orden], url_admin())[0].texto)


def propiedades(texto: str) -> dict[str, str]:
    """The properties in what `topics examine-messages` prints: each a name, four spaces, and a value of any lines."""
    dichas = _VOLCADO.split(texto.partition("Properties:\n")[2])[0]
    partes = _PROPIEDAD.split(dichas)[1:]
    return {nombre: valor.strip() for nombre, valor in zip(partes[::2], partes[1::2], strict=True)}


def _cifras(topics: Sequence[str]) -> list[list[Any]]:
    """The broker's figures of each topic: of each partition, if it has some; none if it can't be asked."""
    simples = ejecutar([["topics", "stats", uno] for uno in topics], url_admin())
    otros = [uno for uno, respuesta in zip(topics, simples, strict=True) if respuesta.no_existe]
    ordenes = [["topics", "partitioned-stats", "--per-partition", uno] for uno in otros]
    partidos = dict(zip(otros, ejecutar(ordenes, url_admin()), strict=True))
    return [
        list(_leido(partidos[uno]).get("partitions", {}).values()) if uno in partidos else [_leido(respuesta)]
        for uno, respuesta in zip(topics, simples, strict=True)
    ]


def _leido(respuesta: Respuesta) -> dict[str, Any]:
    leido: dict[str, Any] = json.loads(respuesta.texto) if respuesta.fallo is None else {}
    return leido


def _vista(config: Config, respuesta: Respuesta, cifras: Mapping[str, list[Any]]) -> Vista:
    if respuesta.fallo is not None:
        return Vista(respuesta.fallo)
    estado = json.loads(respuesta.texto)
    instancias = [instancia["status"] for instancia in estado["instances"]]
    errores = [instancia["error"] for instancia in instancias if instancia.get("error")]
    consumidores, faltan = _consumidores(config, estado["numInstances"], cifras)
    return Vista(
        mal=next(_males(estado["numInstances"], instancias, faltan), ""),
        consumidores=consumidores,
        reinicios=sum(instancia.get("numRestarts", 0) for instancia in instancias),
        excepciones=tuple(_excepciones(instancias)),
        error=errores[-1] if errores else "",
        cartas=sum(
            una.get("subscriptions", {}).get(SUSCRIPCION, {}).get("msgBacklog", 0) for una in cifras[cartas_de(config)]
        ),
    )


def _males(cuantas: int, instancias: Sequence[Any], faltan: Sequence[str]) -> Iterator[str]:
    for instancia in instancias:
        if not instancia["running"]:
            que = str(instancia.get("error") or "").strip().splitlines() or ["an instance is starting"]
            yield f"{que[-1]} ({instancia.get('numRestarts', 0)} restarts)"
    if cuantas > len(instancias):
        yield f"{cuantas - len(instancias)} instances are not assigned to a functions worker"
    yield from faltan


def _consumidores(
    config: Config, cuantas: int, cifras: Mapping[str, list[Any]]
) -> tuple[dict[str, datetime], list[str]]:
    """This function's consumers, and what lacks one of each instance. Instances say in their consumers who they are."""
    nombre, encontrados, faltan = f"{TENANT}/{config['namespace']}/{config['name']}", dict[str, datetime](), []
    for entrada in config["inputSpecs"]:
        for una in cifras[entrada] or [{}]:
            suyos = [
                consumidor
                for consumidor in una.get("subscriptions", {}).get(config["subName"], {}).get("consumers", ())
                if consumidor.get("metadata", {}).get("id") == nombre
            ]
            if len({consumidor["metadata"].get("instance_id") for consumidor in suyos}) < cuantas:
                faltan.append(f"{corto(entrada)}: {len(suyos)} of {cuantas} instances consume it")
            encontrados |= {c["consumerName"]: datetime.fromisoformat(c["connectedSince"]) for c in suyos}
    return encontrados, faltan


def _excepciones(instancias: Sequence[Any]) -> Iterator[str]:
    for instancia in instancias:
        for clase in ("latestSystemExceptions", "latestUserExceptions"):
            if ultimas := instancia.get(clase):
                yield str(ultimas[-1]["exceptionString"])
