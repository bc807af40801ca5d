"""Avro on the wire: `schemas/<namespace>/<topic>.avsc` and the envelope around each payload."""

import io
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Final

import fastavro

from functions.comun.ids import Id, derivado, leer, son
from functions.comun.inmutable import inmutable
from functions.comun.mensajes import TIPOS, Datos, Mensaje, MensajeInvalido
from functions.comun.traza import Traza, propiedades

ESQUEMAS: Final = Path(__file__).parents[2] / "schemas"
BYTES_MAXIMOS: Final = 64 * 1024
"""Of one message: far more than any of ours has, and little enough that what it leads to fits too."""
MOMENTO_MAXIMO: Final = 253_402_300_799_999
"""The end of the year 9999, in ms since 1970-01-01 UTC: Python knows no later time, PostgreSQL does."""


@inmutable
class Codec:
    """Encodes and decodes one topic's messages. `definicion` is the .avsc as it is in the file."""

    topic: str
    nombre: str
    version: str
    definicion: dict[str, Any]
    esquema: Any
    tipo: type[Datos]
    campos: tuple[str, ...]
    ids: tuple[str, ...]
    textos: tuple[str, ...]

    def codificar(self, id_mensaje: Id, ingestion: int, servicio: str, datos: Datos) -> bytes:
        """The message's bytes. `ingestion` in ms since 1970-01-01 UTC; ValueError if a value doesn't fit."""
        sobre = {
            "id": id_mensaje,
            "time": time.time_ns() // 1_000_000,
            "ingestion": ingestion,
            "specversion": self.version,
            "type": self.nombre,
            "datacontenttype": "application/avro",
            "service_name": servicio,
            "data": {campo: getattr(datos, campo) for campo in self.campos},
        }
        salida = io.BytesIO()
        fastavro.schemaless_writer(salida, self.esquema, sobre)
        return salida.getvalue()

    def decodificar(self, crudo: bytes, escritor: Any = None, traza: Traza | None = None) -> Mensaje[Datos]:
        """The message in `crudo`, written with the parsed schema `escritor` (None: this topic's own).

        Raises MensajeInvalido for anything that our own senders could not have written.
        """
        if len(crudo) > BYTES_MAXIMOS:
            raise MensajeInvalido(f"not a {self.topic}: {len(crudo)} bytes, at most {BYTES_MAXIMOS} are allowed")
        entrada = io.BytesIO(crudo)
        try:
            if escritor is None:
                sobre: Any = fastavro.schemaless_reader(entrada, self.esquema, None)
            else:
                sobre = fastavro.schemaless_reader(entrada, escritor, self.esquema)
            campos = sobre["data"]
            if not son(sobre["id"], *[valor for campo in self.ids if (valor := campos[campo]) is not None]):
                sobre["id"] = leer(sobre["id"])
                campos |= {campo: _leer_id(campos[campo]) for campo in self.ids}
            datos = self.tipo(**campos)
        except Exception as error:  # whatever a decoder may raise on garbage
            raise MensajeInvalido(f"not a {self.topic}: {type(error).__name__}: {error}") from error
        if entrada.tell() != len(crudo):
            raise MensajeInvalido(f"not a {self.topic}: {len(crudo) - entrada.tell()} bytes too many")
        if sobre["type"] != self.nombre:
            raise MensajeInvalido(f"type is {sobre['type']!r}, on {self.topic}")
        if not 0 <= sobre["time"] <= MOMENTO_MAXIMO:
            raise MensajeInvalido(f"time is {sobre['time']}: it must be from 0 to {MOMENTO_MAXIMO}")
        for campo in self.textos:
            if (texto := campos[campo]) and "\0" in texto:
                raise MensajeInvalido(f"{campo} holds a NUL character, which PostgreSQL can't store")
        return Mensaje(sobre["id"], sobre["ingestion"], sobre["time"], datos, traza)


@cache
def codec(topic: str) -> Codec:
    """The codec of "<namespace>/<topic>"; KeyError if there is no such topic."""
    return codec_de(topic, json.loads((ESQUEMAS / f"{topic}.avsc").read_text("utf-8")))


def valores(topic: str, campo: str) -> tuple[str, ...]:
    """All that a field of the payload may be, where its schema lists that (`x-values`)."""
    return tuple(next(dicho["x-values"] for dicho in payload(codec(topic).definicion) if dicho["name"] == campo))


def codec_de(topic: str, definicion: dict[str, Any]) -> Codec:
    """The codec of any version of the topic's schema."""
    campos = {campo["name"]: campo["type"] for campo in payload(definicion)}
    return Codec(
        topic=topic,
        nombre=topic.partition("/")[2],
        version=str(definicion["version"]),
        definicion=definicion,
        esquema=analizar(definicion),
        tipo=TIPOS[topic],
        campos=tuple(campos),
        ids=tuple(campo for campo, tipo in campos.items() if _con_ids_de_texto(tipo) != tipo),
        textos=tuple(campo for campo, tipo in campos.items() if "string" in tipo),  # itself, or a union with it
    )


def analizar(definicion: Mapping[str, Any]) -> Any:
    """An .avsc for fastavro to read or write with: UUIDs stay text."""
    return fastavro.parse_schema(_con_ids_de_texto(definicion))


def _con_ids_de_texto(esquema: Any) -> Any:
    match esquema:
        case {"logicalType": "uuid"}:
            return "string"
        case dict():
            return {clave: _con_ids_de_texto(valor) for clave, valor in esquema.items()}
        case list():
            return [_con_ids_de_texto(valor) for valor in esquema]
    return esquema


def _leer_id(valor: Any) -> Any:
    """Of a field that is an id, none, or several."""
    if isinstance(valor, str):
        return leer(valor)
    return None if valor is None else [leer(dicho) for dicho in valor]


def payload(definicion: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields of the payload, as the .avsc has them."""
    campos: list[dict[str, Any]] = next(c["type"]["fields"] for c in definicion["fields"] if c["name"] == "data")
    return campos


@inmutable
class Publicacion:
    """A message ready to be sent: topic "<namespace>/<topic>", partition key, bytes, properties, and the version of
    the schema that the bytes are in; "" on topics without schema.
    """

    topic: str
    clave: str
    crudo: bytes
    propiedades: Mapping[str, str] = field(default_factory=dict)
    version: str = ""


def publicacion(id_mensaje: Id, ingestion: int, servicio: str, datos: Datos, traza: Traza | None = None) -> Publicacion:
    """Encodes a payload in its envelope."""
    propio = codec(datos.topic)
    crudo = propio.codificar(id_mensaje, ingestion, servicio, datos)
    clave = str(getattr(datos, datos.clave))
    return Publicacion(datos.topic, clave, crudo, propiedades(traza, id_mensaje), propio.version)


def derivar(causa: Mensaje[Datos], servicio: str, salidas: Sequence[Datos]) -> list[Publicacion]:
    """The messages that `causa` leads to; the same cause always gives the same ids."""
    return [
        publicacion(_id(causa, datos, indice), causa.ingestion, servicio, datos, causa.traza)
        for indice, datos in enumerate(salidas)
    ]


def _id(causa: Mensaje[Datos], datos: Datos, indice: int) -> Id:
    if datos.unico is not None:
        return derivado(getattr(datos, datos.unico), datos.topic)
    return derivado(causa.id, f"{datos.topic}/{indice}")


_CABECERA: Final = fastavro.parse_schema(
    {
        "type": "record",
        "name": "Cabecera",
        "fields": [
            {"name": "id", "type": "string"},
            {"name": "time", "type": "long"},
            {"name": "ingestion", "type": "long"},
            {"name": "specversion", "type": "string"},
        ],
    }
)
"""How every version of every envelope begins."""
_SALIDAS: Final = fastavro.parse_schema(
    {
        "type": "array",
        "items": {
            "type": "record",
            "name": "Publicacion",
            "fields": [
                {"name": "topic", "type": "string"},
                {"name": "clave", "type": "string"},
                {"name": "crudo", "type": "bytes"},
            ],
        },
    }
)


def empaquetar(publicaciones: Sequence[Publicacion]) -> bytes:
    """One receipt's outputs as bytes, for the outbox: what fastavro makes of them with _SALIDAS, in a fifth of the
    time.
    """
    partes = [_largo(len(publicaciones))] if publicaciones else []
    for p in publicaciones:
        for parte in (p.topic.encode(), p.clave.encode(), p.crudo):
            partes += (_largo(len(parte)), parte)
    return b"".join([*partes, _largo(0)])


@lru_cache(4096)
def _largo(cuantos: int) -> bytes:
    """A length or a number of items as Avro writes it: a long, zigzag, seven bits in a byte, the lowest first."""
    resto, crudo = 2 * cuantos, bytearray()
    while resto > 127:
        crudo.append(resto & 127 | 128)
        resto >>= 7
    return bytes([*crudo, resto])


def desempaquetar(salidas: bytes, traza: Traza | None = None) -> list[Publicacion]:
    """The inverse of `empaquetar`, for the trace that they are published in now. The bytes may be of another version
    than today's: they say so.
    """
    filas: Any = fastavro.schemaless_reader(io.BytesIO(salidas), _SALIDAS, None)
    return [_guardada(fila, traza) for fila in filas]


def _guardada(fila: dict[str, Any], traza: Traza | None) -> Publicacion:
    cabecera: Any = fastavro.schemaless_reader(io.BytesIO(fila["crudo"]), _CABECERA, None)
    return Publicacion(**fila, propiedades=propiedades(traza, cabecera["id"]), version=cabecera["specversion"])
