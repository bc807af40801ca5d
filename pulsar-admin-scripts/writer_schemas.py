"""Messages decoded with the schema version that they were written in."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import _pulsar
import fastavro
import pulsar
from topics import corto

from functions.comun.codec import analizar, codec
from functions.comun.mensajes import TIPOS


@dataclass(frozen=True, slots=True)
class Lectura:
    """A message with its envelope, and what it was read with; or why it can't be read."""

    sobre: Mapping[str, Any] = field(default_factory=dict)
    esquema: str = ""
    problema: str = ""

    @property
    def datos(self) -> Mapping[str, Any]:
        """The payload; empty if the message can't be read."""
        datos = self.sobre.get("data")
        return datos if isinstance(datos, dict) else {}


class Esquemas:
    """The cluster's schema registry; asks once for each version."""

    def __init__(self, cliente: pulsar.Client) -> None:
        self._cliente = cliente
        self._registrados: dict[tuple[str, int], Any] = {}
        self._avro: dict[tuple[str, int], Any] = {}

    def registrado(self, topic: str, version: int) -> Any:
        """The client's SchemaInfo of one version; None if the registry doesn't have it."""
        clave = (topic, version)
        if clave not in self._registrados:
            try:
                self._registrados[clave] = self._cliente._client.get_schema_info(topic, version)
            except (pulsar.TopicNotFound, pulsar.AuthorizationError):
                self._registrados[clave] = None
        return self._registrados[clave]

    def leer(self, topic: str | None, version: int | None, cuerpo: bytes) -> Lectura:
        """Never raises for what is in a message, only the client's errors if the registry can't be asked.

        `topic`: full name without partition. What came without a schema (version -1) is read with today's.
        """
        esquema, nombre, aviso = self._escritor(topic, version)
        if esquema is None:
            return Lectura(problema=aviso)
        entrada = io.BytesIO(cuerpo)
        try:
            sobre: Any = fastavro.schemaless_reader(entrada, esquema, None)
        except Exception as error:  # whatever a decoder may raise on garbage
            return Lectura(problema=f"{aviso}unreadable with {nombre}: {type(error).__name__}: {error}")
        if sobra := len(cuerpo) - entrada.tell():
            return Lectura(problema=f"{aviso}unreadable with {nombre}: {sobra} bytes too many")
        return Lectura(sobre if isinstance(sobre, dict) else {"": sobre}, nombre, aviso.rstrip("; "))

    def _escritor(self, topic: str | None, version: int | None) -> tuple[Any, str, str]:
        """The parsed schema to read with, what to call it, and what is odd about it."""
        if topic is None:
            return None, "", "it does not say which topic its message was on"
        if version is not None and version >= 0 and (avro := self._parsed(topic, version)):
            return avro, f"schema version {version} of {corto(topic)}", ""
        falta = "it has no schema version" if version in (None, -1) else f"schema version {version} is not to be had"
        if corto(topic) not in TIPOS:
            return None, "", f"{falta}, and {corto(topic)} is none of our topics"
        return codec(corto(topic)).esquema, f"today's schema of {corto(topic)}", f"{falta}; "

    def _parsed(self, topic: str, version: int) -> Any:
        clave = (topic, version)
        if clave not in self._avro:
            info = self.registrado(topic, version)
            es_avro = info is not None and info.schema_type() == _pulsar.SchemaType.AVRO
            self._avro[clave] = analizar(json.loads(info.schema())) if es_avro else None
        return self._avro[clave]
