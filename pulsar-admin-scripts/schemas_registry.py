"""The cluster's schema registry against the repository's schemas: it must have every released version, and no other."""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import schemas_files
from admin import TENANT, Respuesta, ejecutar, url_admin
from questions import brokers
from schemas_files import version
from topics import PREFIJO, corto, sin_particion


@dataclass(frozen=True, slots=True)
class Registrada:
    """One version in the registry. `numero`: ours; None if the schema says none. `hora`: of its upload."""

    numero: int | None
    hora: datetime
    definicion: Any


@dataclass(frozen=True, slots=True)
class Diferencia:
    """`estado`: missing (not in the cluster), extra (not in the repository), changed (the same version in both, but
    not the same schema). `numero` None: the topic as a whole.
    """

    topic: str
    numero: int | None
    estado: str


def registradas(topics: Sequence[str]) -> dict[str, list[Registrada]]:
    """All versions of each topic's schema, oldest first; none if it has no schema or does not exist."""
    respuestas = brokers(*(f"/admin/v2/schemas/{TENANT}/{topic}/schemas" for topic in topics))
    return {
        topic: [_registrada(info) for info in (respuesta or {}).get("getSchemaResponses", ())]
        for topic, respuesta in zip(topics, respuestas, strict=True)
    }


def _registrada(info: Mapping[str, Any]) -> Registrada:
    definicion = json.loads(info["data"]) if info["type"] == "AVRO" else {}
    return Registrada(version(definicion), datetime.fromtimestamp(info["timestamp"] / 1000, UTC), definicion)


def leer() -> dict[str, list[Registrada]]:
    """Every topic of our namespaces that has a schema, and every one that should, <namespace>/<topic>."""
    nuestros = schemas_files.topics()
    namespaces = sorted({topic.partition("/")[0] for topic in nuestros})
    rutas = [f"/admin/v2/persistent/{TENANT}/{nombre}" for nombre in namespaces]
    listas = brokers(*rutas, *(f"{ruta}/partitioned" for ruta in rutas))
    hay = {corto(sin_particion(nombre)) for lista in listas for nombre in lista or ()}
    return registradas(sorted({topic for topic in hay if not topic.endswith("-dlq")} | set(nuestros)))


def versiones(topic: str) -> dict[int, Any]:
    """What the registry must have: released versions, and today's, by their numbers, oldest first."""
    actual = schemas_files.actual(topic)
    return schemas_files.lanzadas(topic) | {version(actual) or 0: actual}


def sin_registrar(usados: Mapping[str, Sequence[Any]]) -> list[str]:
    """Those of these topics, <namespace>/<topic>, of whose schemas the cluster doesn't have one."""
    hay = {topic: [r.definicion for r in todas] for topic, todas in registradas(sorted(usados)).items()}
    return [topic for topic in hay if any(definicion not in hay[topic] for definicion in usados[topic])]


def diferencias(cluster: Mapping[str, Sequence[Registrada]]) -> Iterator[Diferencia]:
    nuestros = schemas_files.topics()
    for topic, hay in cluster.items():
        if topic in nuestros:
            yield from de_un_topic(topic, versiones(topic), hay)
        else:
            yield Diferencia(topic, None, "extra")


def de_un_topic(topic: str, debe: Mapping[int, Any], hay: Sequence[Registrada]) -> Iterator[Diferencia]:
    otras = {registrada.numero: registrada for registrada in hay if registrada.definicion not in debe.values()}
    for numero, definicion in debe.items():
        if numero in otras:
            yield Diferencia(topic, numero, "changed")
        elif all(registrada.definicion != definicion for registrada in hay):
            yield Diferencia(topic, numero, "missing")
    for suya in otras:
        if suya not in debe:
            yield Diferencia(topic, suya, "extra")


def ajenas(diferencias: Iterable[Diferencia]) -> str | None:
    """What to say if versions in the cluster are not what was released here under their numbers."""
    cambiadas = [f"  version {d.numero} of {d.topic}" for d in diferencias if d.estado == "changed"]
    if not cambiadas:
        return None
    return "\n".join(
        [
            "error: the cluster has other schemas than these files under the same version:",
            *cambiadas,
            "  changed here: raise the version (`schemas.py check`). Uploaded by somebody else: see `schemas.py list "
            "--json`.\n  A local platform with data from before a schema was released: `make clean`. Nothing was done.",
        ]
    )


def orden_de_carga(topic: str, definicion: Any, carpeta: Path) -> list[str]:
    """The pulsar-admin command that uploads one version; writes the file that it takes into `carpeta`."""
    archivo = carpeta / f"{topic}-{version(definicion)}.json"
    archivo.parent.mkdir(exist_ok=True)
    archivo.write_text(json.dumps({"type": "AVRO", "schema": json.dumps(definicion), "properties": {}}), "utf-8")
    return ["schemas", "upload", "-f", str(archivo), PREFIJO + topic]


def rechazo(respuesta: Respuesta) -> str | None:
    """What to say if the broker refused an upload as incompatible; its own text is both schemas in full."""
    if respuesta.fallo is None or not respuesta.orden.startswith("schemas upload"):
        return None
    if "compatib" not in respuesta.texto:
        return None
    *_, archivo, topic = shlex.split(respuesta.orden)
    numero = Path(archivo).stem.rpartition("-")[2]
    return (
        f"error: the broker refuses version {numero} of {corto(topic)}: it is incompatible with a version that is "
        "registered (FULL_TRANSITIVE)\n  `schemas.py check` says what is wrong with it and how to do it right; "
        "nothing of it was registered"
    )


def cargar(faltan: Sequence[Diferencia]) -> Iterator[tuple[Diferencia, str | None]]:
    """Uploads missing versions, oldest first; each with the reason why it failed, if it did."""
    with TemporaryDirectory() as carpeta:
        ordenes = [orden_de_carga(d.topic, versiones(d.topic)[d.numero or 0], Path(carpeta)) for d in faltan]
        for diferencia, respuesta in zip(faltan, ejecutar(ordenes, url_admin()), strict=True):
            if (texto := rechazo(respuesta)) is None:
                respuesta.exigir()
            yield diferencia, texto
