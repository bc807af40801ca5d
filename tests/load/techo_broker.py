"""The broker alone: the messages of so many orders, sent and read by bare clients, in a namespace of their own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import cycle, islice
from typing import Any, Final

import pulsar
import yaml

from functions.comun.codec import Publicacion
from functions.comun.publicador import EsquemaAvro
from tests.chaos.entregas import TENANT
from tests.load import broker, paralelo
from tests.load.cadena import cadenas, por_topic
from tests.load.paralelo import Accion
from tests.plataforma import RAIZ, Plataforma

ESPACIO: Final = f"{TENANT}/techo"
MUESTRA: Final = 1000
"""Orders whose messages are made beforehand; all others have the same bytes."""
TANDA: Final = 1000
"""Messages taken at once."""
POR_NUCLEO: Final = 2
"""Processes for each core: with one, threads of the same process wait for each other, and cores are idle."""
COLA: Final = 10_000
"""Messages on their way, from each producer and to each consumer."""


def correr(platform: Plataforma, cuantas: int) -> float:
    """Seconds until all messages are stored, read by each subscription and acknowledged. The messages of orders'
    checks, which really come two minutes later, are sent and read like the others.
    """
    cuantos, lectoras = {topic: len(dichas) for topic, dichas in _de(MUESTRA).items()}, suscripciones()
    pesos = {f"{topic} {quien}": veces for topic, veces in cuantos.items() for quien in ("", *lectoras[topic])}
    broker.pedir(f"{platform.admin_url}/admin/v2/namespaces/{ESPACIO}", "PUT")
    try:
        for topic in cuantos:
            broker.pedir(_admin(platform, topic), "PUT")
        return paralelo.correr(partial(_preparar, platform, cuantas), pesos, POR_NUCLEO)
    finally:
        for topic in cuantos:
            broker.pedir(f"{_admin(platform, topic)}?force=true", "DELETE")
        broker.pedir(f"{platform.admin_url}/admin/v2/namespaces/{ESPACIO}", "DELETE")


def suscripciones() -> dict[str, list[str]]:
    """The functions' ones, by "<namespace>/<topic>"."""
    leidas: dict[str, list[str]] = {}
    for archivo in sorted((RAIZ / "deployment" / "functions").glob("*.yaml")):
        config = yaml.safe_load(archivo.read_text("utf-8"))
        for topic in config["inputSpecs"]:
            leidas.setdefault(topic.removeprefix(broker.PREFIJO), []).append(config["subName"])
    return leidas


def _de(cuantas: int) -> dict[str, list[Publicacion]]:
    return por_topic(list(cadenas(cuantas)))


def _nombre(topic: str) -> str:
    return f"{ESPACIO}/{topic.partition('/')[2]}"


def _admin(platform: Plataforma, topic: str) -> str:
    return f"{platform.admin_url}/admin/v2/persistent/{_nombre(topic)}"


@contextmanager
def _preparar(platform: Plataforma, cuantas: int, pieza: str) -> Iterator[Sequence[Accion]]:
    """What one subscription of a topic has to do; without subscription, what its producer has."""
    topic, _, suscripcion = pieza.partition(" ")
    muestra = _de(min(cuantas, MUESTRA))[topic]
    total = cuantas * len(muestra) // min(cuantas, MUESTRA)
    cliente = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    crear = partial(_consumidor, suscripcion) if suscripcion else _productor
    try:
        suyo = crear(cliente, f"persistent://{_nombre(topic)}", EsquemaAvro(None, {"topic": topic}))
        if suscripcion:
            yield [partial(_consumir, suyo, total)]
        else:
            yield [partial(_producir, suyo, list(islice(cycle(muestra), total)))]
    finally:
        cliente.close()


def _productor(cliente: Any, topic: str, esquema: EsquemaAvro) -> Any:
    return cliente.create_producer(
        topic, schema=esquema, batching_enabled=True, block_if_queue_full=True, max_pending_messages=COLA
    )


def _consumidor(suscripcion: str, cliente: Any, topic: str, esquema: EsquemaAvro) -> Any:
    """Shared, as the functions' are."""
    return cliente.subscribe(
        topic,
        suscripcion,
        consumer_type=pulsar.ConsumerType.Shared,
        schema=esquema,
        initial_position=pulsar.InitialPosition.Earliest,
        receiver_queue_size=COLA,
        batch_receive_policy=pulsar.ConsumerBatchReceivePolicy(TANDA, -1, 100),
    )


def _producir(productor: Any, publicaciones: Sequence[Publicacion]) -> None:
    """No confirmation of each: who reads them counts them."""
    for p in publicaciones:
        productor.send_async(p.crudo, None, partition_key=p.clave, properties=p.propiedades)
    productor.flush()


def _consumir(consumidor: Any, total: int) -> None:
    leidos = 0
    while leidos < total:
        mensajes = consumidor.batch_receive()
        for mensaje in mensajes:
            consumidor.acknowledge(mensaje)
        leidos += len(mensajes)
    consumidor.close()  # sends the last acknowledgements
