"""What can be seen of functions at one moment: their instances, who consumes their topics, their dead letters."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pulsar
from admin import TENANT, url_admin, url_functions
from dlq_mailbox import SUSCRIPCION, topic
from questions import api, ruta
from topics import corto

from functions.comun.cluster.admin_rest import HILOS
from functions.comun.publicador import texto

Config = Mapping[str, Any]
PLAZO: Final = 5
"""The broker has this long, in s, to hand out a letter."""


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
    entradas = {entrada for config in configs.values() for entrada in config["inputSpecs"]}
    topics = sorted(entradas | {cartas_de(config) for config in configs.values()})
    estados = [f"{ruta(config)}/status" for config in configs.values()]
    with ThreadPoolExecutor(HILOS) as hilos:
        respuestas = hilos.map(api(url_functions()).intentar, estados)
        cifras = dict(zip(topics, hilos.map(_cifras, topics), strict=True))
    return {
        nombre: _vista(config, respuesta, cifras)
        for (nombre, config), respuesta in zip(configs.items(), respuestas, strict=True)
    }


def cartas_de(config: Config) -> str:
    """The dead-letter topic; a canary's is that of the function it is a canary of."""
    return topic(f"{config['namespace']}/{config['userConfig'].get('FUNCION', config['name'])}")


def ultima_carta(cliente: pulsar.Client, config: Config) -> dict[str, str]:
    """The properties of the newest dead letter; none if it can't be read."""
    lector = cliente.create_reader(cartas_de(config), pulsar.MessageId.latest, start_message_id_inclusive=True)
    try:
        return texto(lector.read_next(1000 * PLAZO).properties, {})
    except pulsar.Timeout:
        return {}
    finally:
        lector.close()


def _cifras(topic: str) -> list[Any]:
    """The broker's figures of a topic: of each partition, if it has some; none if it can't be asked."""
    base = f"/admin/v2/persistent/{TENANT}/{corto(topic)}"
    simple = api(url_admin()).intentar(f"{base}/stats")
    if simple is not None:
        return [simple] if isinstance(simple, dict) else []
    partido = api(url_admin()).intentar(f"{base}/partitioned-stats")
    return list(partido["partitions"].values()) if isinstance(partido, dict) else []


def _vista(config: Config, estado: Any, cifras: Mapping[str, list[Any]]) -> Vista:
    """`estado`: the worker's answer, None if it has no such function, or a text that says why there is none."""
    if not isinstance(estado, dict):
        return Vista(estado or "it is not deployed")
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
