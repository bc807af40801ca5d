"""From files that people write to messages that can be sent: JSON or YAML, payloads, envelopes or CloudEvents."""

import io
import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import fastavro
import yaml
from avro_json import a_json, de_json
from cloudevents_json import VERSION, de_evento
from samples import muestra
from schemas_files import lanzadas

from functions.comun.codec import Codec, Publicacion, codec, codec_de
from functions.comun.mensajes import MensajeInvalido

_ESPACIO: Final = re.compile(r"\s*")
Mensaje = tuple[dict[str, Any], Publicacion]
"""An envelope, and what is sent of it."""


class _Yaml(yaml.SafeLoader):
    """Times stay text, as in JSON."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # as in its base class
        letra: [par for par in pares if par[0] != "tag:yaml.org,2002:timestamp"]
        for letra, pares in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def de_yaml(texto: str) -> Any:
    return yaml.load(texto, _Yaml)  # it is a safe one


def leer(archivo: str) -> list[Any]:
    """Everything in a file, "-" for the standard input; lists count as what is in them. ValueError, OSError."""
    crudo = sys.stdin.buffer.read() if archivo == "-" else Path(archivo).read_bytes()
    texto = crudo.decode("utf-8-sig")
    try:
        documentos = list(_json(texto))
    except (ValueError, RecursionError) as error:
        try:
            documentos = [documento for documento in yaml.load_all(texto, _Yaml) if documento is not None]
        except (yaml.YAMLError, ValueError, RecursionError) as otro:
            es_json = texto.lstrip()[:1] in ("{", "[")
            raise ValueError(f"no JSON: {error}" if es_json else f"no YAML: {otro}") from otro
    return [uno for documento in documentos for uno in (documento if isinstance(documento, list) else [documento])]


def _json(texto: str) -> Iterator[Any]:
    """One document after another, on lines of their own or not."""
    lugar, lector = _ESPACIO.match(texto).end(), json.JSONDecoder()  # type: ignore[union-attr]  # it always matches
    while lugar < len(texto):
        documento, lugar = lector.raw_decode(texto, lugar)
        yield documento
        lugar = _ESPACIO.match(texto, lugar).end()  # type: ignore[union-attr]


def preparar(valor: Any, topic: str, cambios: Mapping[str, Any]) -> Mensaje:
    """Checked as the topic's readers check it; `cambios`: payload fields. ValueError, a line for each problem."""
    dado, todos = _sobre(valor, topic, cambios), _codecs(topic)
    version = dado["specversion"] if isinstance(dado, dict) else codec(topic).version
    if version not in todos:
        raise ValueError(f"the schema's version is {version!r}: leave it out, or say one of {', '.join(todos)}")
    sobre = de_json(dado, todos[version].definicion)
    salida = io.BytesIO()
    fastavro.schemaless_writer(salida, todos[version].esquema, sobre)
    try:
        datos = codec(topic).decodificar(salida.getvalue(), todos[version].esquema).data
    except MensajeInvalido as error:
        raise ValueError(str(error)) from error
    return sobre, Publicacion(topic, str(getattr(datos, datos.clave)), salida.getvalue(), version=version)


@cache
def _codecs(topic: str) -> dict[Any, Codec]:
    """Of every version of the schema, today's last."""
    todos = [*(codec_de(topic, definicion) for definicion in lanzadas(topic).values()), codec(topic)]
    return {uno.version: uno for uno in todos}


def _sobre(valor: Any, topic: str, cambios: Mapping[str, Any]) -> Any:
    """A whole envelope as JSON has it: what is left out is as a tester would say it."""
    if not isinstance(valor, dict):
        return valor
    if valor.get("specversion") == VERSION:
        valor = de_evento(valor, topic)
    elif "data" not in valor:
        valor = {"data": valor}
    omision = a_json(muestra(topic))
    del omision["data"]
    with suppress(KeyError, TypeError):
        valor = valor | {"data": valor["data"] | cambios}
    return omision | valor
