"""Copies of a function as it is deployed, each on a partitioned topic of its own, beside what is there."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.request import urlopen

import pulsar
import yaml

from functions.comun.codec import Publicacion
from functions.comun.publicador import EsquemaAvro
from tests.chaos.entregas import TENANT
from tests.load import broker
from tests.load.broker import PREFIJO
from tests.plataforma import RAIZ, Plataforma, esperar

NAMESPACE: Final = "escala"
PARTICIONES: Final = 4


@dataclass(frozen=True, slots=True)
class Copia:
    nombre: str
    """Of the function, and of its topic."""
    original: str
    """<namespace>/<name> of the function that it is a copy of."""
    codec: str
    """The topic whose messages it reads, from another address."""
    paralelismo: int
    opciones: Mapping[str, Any]
    """What else its configuration has."""

    @property
    def topic(self) -> str:
        return f"{PREFIJO}{NAMESPACE}/{self.nombre}"


@contextmanager
def espacio(platform: Plataforma) -> Iterator[None]:
    """The copies' namespace, gone afterwards."""
    url = f"{platform.admin_url}/admin/v2/namespaces/{TENANT}/{NAMESPACE}"
    broker.pedir(url, "PUT")
    try:
        yield
    finally:
        broker.pedir(url, "DELETE")


@contextmanager
def desplegada(platform: Plataforma, copia: Copia) -> Iterator[None]:
    """The copy and its topic, gone afterwards; every instance reads every partition."""
    particiones = f"{platform.admin_url}/admin/v2/persistent/{TENANT}/{NAMESPACE}/{copia.nombre}"
    broker.pedir(f"{particiones}/partitions", "PUT", PARTICIONES)
    try:
        _crear(platform, copia)
        try:
            esperar(f"{copia.paralelismo} instances", lambda: _todas_leen(particiones, copia), 90)
            yield
        finally:
            funcion = f"{TENANT}/{NAMESPACE}/{copia.nombre}"
            broker.pedir(f"{platform.functions_url}/admin/v3/functions/{funcion}", "DELETE")
            esperar(f"the end of {copia.nombre}", lambda: not platform.instancias(copia.nombre))
    finally:
        broker.pedir(f"{particiones}/partitions?force=true", "DELETE")


@contextmanager
def publicador(platform: Plataforma, copia: Copia) -> Iterator[Callable[[Sequence[Publicacion]], None]]:
    """Publishes what the copy is to read, one by one: a batch would go to one instance as a whole, and the client
    (3.13.0) hangs when messages without batches are sent at once to a topic with partitions.
    """
    cliente = pulsar.Client(platform.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
    try:
        esquema = EsquemaAvro(None, {"topic": copia.codec})
        productor = cliente.create_producer(copia.topic, schema=esquema, batching_enabled=False)

        def publicar(publicaciones: Sequence[Publicacion]) -> None:
            for p in publicaciones:
                productor.send(p.crudo, partition_key=p.clave, properties=dict(p.propiedades))

        yield publicar
    finally:
        cliente.close()


def configuracion(copia: Copia, desplegado: Mapping[str, Any]) -> dict[str, Any]:
    """The copy's; `desplegado`: the original's userConfig, with where the database is."""
    ruta = RAIZ / f"deployment/functions/{copia.original.partition('/')[2]}.yaml"
    config: dict[str, Any] = yaml.safe_load(ruta.read_text("utf-8"))
    entrada = config["inputSpecs"][PREFIJO + copia.codec]
    return config | {
        "namespace": NAMESPACE,
        "name": copia.nombre,
        "subName": copia.nombre,
        "inputSpecs": {copia.topic: entrada},
        "parallelism": copia.paralelismo,
        "userConfig": dict(desplegado),
        **copia.opciones,
    }


def _crear(platform: Plataforma, copia: Copia) -> None:
    """Of the very package that runs."""
    url = f"{platform.functions_url}/admin/v3/functions/{TENANT}/{copia.original}"
    config = configuracion(copia, broker.pedir(url)["userConfig"])
    with TemporaryDirectory() as carpeta:
        archivo, paquete = Path(carpeta, "config.json"), Path(carpeta, f"{copia.original.partition('/')[2]}.zip")
        archivo.write_text(json.dumps(config), "utf-8")  # JSON is YAML
        with urlopen(f"{url}/download", timeout=30) as respuesta, paquete.open("wb") as salida:
            shutil.copyfileobj(respuesta, salida)
        platform.admin("functions", "create", "--function-config-file", str(archivo), "--py", str(paquete))


def _todas_leen(url: str, copia: Copia) -> bool:
    for particion in range(PARTICIONES):
        suscripciones = broker.pedir(f"{url}-partition-{particion}/stats")["subscriptions"]
        if len(suscripciones.get(copia.nombre, {}).get("consumers", ())) != copia.paralelismo:
            return False
    return True
