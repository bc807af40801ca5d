"""Puts a version of a schema on record, with samples in its bytes that today's functions must read for ever."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final
from uuid import UUID

import fastavro
import schemas_files
from avro_json import a_json
from samples import de_esquema

from functions.comun.codec import analizar, payload
from functions.comun.ids import Id

DE_UNA_SAGA: Final = ("id_orden", "id_producto", "id_conductor", "id_driver", "transaction_id")
"""Fields that have the same value in one sample of every topic, so that functions can process them in turn."""
LARGOS: Final[dict[Any, Any]] = {"int": 2**31 - 1, "string": "ñ 🚚 \\ \" ' {} \n", "boolean": True}


def lanzar(topic: str) -> list[Path]:
    """Records today's version; what was written: nothing if it is on record."""
    definicion = schemas_files.actual(topic)
    numero = schemas_files.version(definicion)
    if numero is None or numero in schemas_files.lanzadas(topic):
        return []
    esquema, muestras = schemas_files.archivos_lanzados(topic, numero)
    esquema.parent.mkdir(parents=True, exist_ok=True)
    esquema.write_bytes(schemas_files.archivo(topic).read_bytes())
    contenido = {"sha256": schemas_files.sha256(esquema), "samples": list(_muestras(topic, definicion))}
    muestras.write_text(json.dumps(contenido, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return [esquema, muestras]


def _muestras(topic: str, definicion: Any) -> Iterator[dict[str, Any]]:
    """A usual message, and one with unusual values and nulls, each as JSON and as bytes in hexadecimal."""
    for indice in (1, 2):
        azar = Random(f"{topic}/{indice}")  # the same ids each time, other ones for each topic
        fijos: dict[str, Any] = {nombre: _id(nombre, indice) for nombre in DE_UNA_SAGA}
        fijos["otras"] = [fijos["id_orden"]]
        mensaje = de_esquema(topic, definicion, fijos, azar)
        if indice == 2:
            mensaje["data"] |= _raros(definicion)
        salida = io.BytesIO()
        fastavro.schemaless_writer(salida, analizar(definicion), mensaje)
        yield {"message": a_json(mensaje), "bytes": salida.getvalue().hex()}


def _raros(definicion: Any) -> dict[str, Any]:
    libres = {campo["name"]: campo["type"] for campo in payload(definicion) if "x-values" not in campo}
    nulos = {nombre: None for nombre, tipo in libres.items() if isinstance(tipo, list)}
    return nulos | {nombre: LARGOS[tipo] for nombre, tipo in libres.items() if isinstance(tipo, str)}


def _id(nombre: str, indice: int) -> Id:
    nombre = "id_conductor" if nombre == "id_driver" else nombre
    return Id(str(UUID(int=Random(f"{nombre}/{indice}").getrandbits(128), version=4)))
