"""Creates what the functions stand on: tenant, namespaces with their policies, topics, subscriptions, schemas.

Safe to run again: it reads what is there, changes what differs, and says what it changed. It deletes nothing.
Subscriptions are made before any function, so that no message is lost that comes before its function does.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import admin
import schemas_files
from admin import TENANT, cumple, ejecutar, url_admin
from package import configuraciones
from questions import brokers
from schemas_registry import ajenas, diferencias, orden_de_carga, rechazo, registradas, versiones
from topics import HISTORIA, PREFIJO, RETIENE, cartas, corto, sin_particion

NAMESPACES: Final = tuple(
    f"{TENANT}/{nombre}" for nombre in ("ordenes", "productos", "conductores", "saga", "despliegues")
)
POLITICAS: Final[dict[str, tuple[Any, str]]] = {
    # a policy as `namespaces policies` shows it: the value wanted, the command that sets it
    "schema_compatibility_strategy": ("FULL_TRANSITIVE", "set-schema-compatibility-strategy -c FULL_TRANSITIVE"),
    "is_allow_auto_update_schema": (False, "set-is-allow-auto-update-schema --disable"),
    "schema_validation_enforced": (True, "set-schema-validation-enforce --enable"),
    "autoTopicCreationOverride": ({"allowAutoTopicCreation": False}, "set-auto-topic-creation --disable"),
    # what watchers can still read after every function has it
    "retention_policies": (
        {"retentionTimeInMinutes": 1440, "retentionSizeInMB": 1024},
        "set-retention -t 1d -s 1G",
    ),
}
Cambio = tuple[str, list[str]]
"""What a change is, for people, and the pulsar-admin command that makes it."""


def suscripciones() -> dict[str, list[str]]:
    """Every topic, full name, with the subscriptions it must have: its functions' and the dead letters'."""
    topics: dict[str, list[str]] = {f"{PREFIJO}{nombre}": [] for nombre in schemas_files.topics()}
    for config in configuraciones().values():
        for topic in config["inputSpecs"]:
            topics[topic].append(config["subName"])
    return topics | {f"{PREFIJO}{carta}": ["cuarentena"] for carta in cartas()}


class Cluster:
    """What is there now. What does not exist reads as None, or as nothing in it."""

    def __init__(self, topics: list[str]) -> None:
        persistentes = [f"/admin/v2/persistent/{nombre}" for nombre in NAMESPACES]
        todo = iter(
            brokers(
                "/admin/v2/clusters",
                "/admin/v2/tenants",
                *(f"/admin/v2/namespaces/{nombre}" for nombre in NAMESPACES),
                *persistentes,
                *(f"{ruta}/partitioned" for ruta in persistentes),
                *(f"/admin/v2/persistent/{TENANT}/{corto(topic)}/subscriptions" for topic in topics),
            )
        )
        self.clusters, self.tenants = next(todo), next(todo)
        self.politicas = {nombre: next(todo) for nombre in NAMESPACES}
        self.topics = {sin_particion(topic) for _ in 2 * NAMESPACES for topic in next(todo) or ()}
        self.suscripciones = {topic: next(todo) or () for topic in topics}
        self.diferencias = [d for d in diferencias(registradas(schemas_files.topics())) if d.estado != "extra"]


def cambios(cluster: Cluster, topics: dict[str, list[str]], carpeta: Path) -> Iterator[Cambio]:
    """What is missing or different, in the order in which it can be made."""
    if TENANT not in cluster.tenants:
        yield f"tenant {TENANT}", ["tenants", "create", TENANT, "--allowed-clusters", ",".join(cluster.clusters)]
    for nombre, politicas in cluster.politicas.items():
        if politicas is None:
            yield f"namespace {nombre}", ["namespaces", "create", nombre]
        for politica, (valor, orden) in POLITICAS.items():
            if not cumple((politicas or {}).get(politica), valor):
                yield f"policy of {nombre}: {politica}", ["namespaces", *orden.split(), nombre]
    for topic, nombres in topics.items():
        if topic not in cluster.topics:
            yield f"topic {topic}", ["topics", "create", topic]
        for nombre in nombres:
            if nombre not in cluster.suscripciones[topic]:
                crear = ["topics", "create-subscription", "-m", "earliest", "-s", nombre, topic]
                yield f"subscription {nombre} of {topic}", crear
    for falta in cluster.diferencias:
        carga = orden_de_carga(falta.topic, versiones(falta.topic)[falta.numero or 0], carpeta)
        yield f"version {falta.numero} of the schema of {falta.topic}", carga


def main() -> int:
    parser = argparse.ArgumentParser(
        "provision.py", description=__doc__, epilog=admin.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--plan", action="store_true", help="say what would be changed, and change nothing")
    solo_plan = parser.parse_args().plan
    print(f"provisioning {url_admin()}: reading what is there …", flush=True)
    topics = suscripciones() | {HISTORIA: [RETIENE]}
    cluster = Cluster(list(topics))
    if error := ajenas(cluster.diferencias):
        sys.exit(error)
    with TemporaryDirectory() as carpeta:
        plan = list(cambios(cluster, topics, Path(carpeta)))
        if solo_plan:
            print("".join(f"  {que}\n" for que, _ in plan), end="")
            print(f"plan: {len(plan)} changes of the cluster" if plan else "plan: no changes of the cluster")
            return 0
        if plan:
            print(f"provisioning: {len(plan)} changes …", flush=True)
        for (que, _), respuesta in zip(plan, ejecutar([orden for _, orden in plan], url_admin()), strict=True):
            if error := rechazo(respuesta):
                sys.exit(error)
            respuesta.exigir()
            print(f"  {que}")
    print(f"provisioned: {len(plan)} changes" if plan else "provisioned: no changes")
    return 0
