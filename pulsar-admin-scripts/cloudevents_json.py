"""Messages as CloudEvents 1.0 in JSON (structured mode), and back, without loss. README.md has the table."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, unquote

from admin import TENANT
from avro_json import a_json

from functions.comun.mensajes import TIPOS

VERSION: Final = "1.0"
FUENTE: Final = f"/{TENANT}/"
JSON: Final = "application/json"
EPOCA: Final = datetime(1970, 1, 1, tzinfo=UTC)
OBLIGATORIOS: Final = ("specversion", "id", "source", "type")
OPCIONALES: Final = ("subject", "time", "datacontenttype", "topic", "schemaversion", "ingestion", "wirecontenttype")


def a_evento(topic: str, sobre: Mapping[str, Any]) -> dict[str, Any]:
    """The event of a message as fastavro read it; ValueError if CloudEvents can't carry one of its values."""
    if topic not in TIPOS:
        raise ValueError(f"{topic} is none of our topics")
    evento = {
        "specversion": VERSION,
        "id": str(sobre["id"]),
        "source": FUENTE + quote(sobre["service_name"], safe=""),
        "type": sobre["type"],
        "subject": str(sobre["data"][TIPOS[topic].clave]),
        "time": _rfc3339("time", sobre["time"]),
        "datacontenttype": JSON,
        "topic": topic,
        "schemaversion": sobre["specversion"],
        "ingestion": _rfc3339("ingestion", sobre["ingestion"]),
        "wirecontenttype": sobre["datacontenttype"],
    }
    if not evento["subject"]:
        del evento["subject"]  # CloudEvents want it left out rather than empty
    for nombre, valor in evento.items():
        if not all(map(_permitido, valor)) or (nombre in OBLIGATORIOS and not valor):
            raise ValueError(f"CloudEvents can't carry {nombre} {valor!r}: empty, or with characters they don't allow")
    return evento | {"data": a_json(sobre["data"])}


def de_evento(evento: Mapping[str, Any], topic: str) -> dict[str, Any]:
    """The message's envelope, for `avro_json.de_json`, which checks its payload. What the event may leave out is left
    out. ValueError, with a line for each thing that is wrong.
    """
    dados = {nombre: valor for nombre, valor in evento.items() if valor is not None}
    problemas = [f"{nombre} is missing" for nombre in OBLIGATORIOS if nombre not in dados]
    sobre = {"data": dados.pop("data")} if "data" in dados else {}
    for nombre, valor in dados.items():
        try:
            if nombre not in OBLIGATORIOS + OPCIONALES:
                raise ValueError("our messages have no place for it: leave it out")
            if not isinstance(valor, str):
                raise ValueError("it must be a string")
            sobre |= _de_atributo(nombre, valor, topic, sobre.get("data"))
        except ValueError as error:
            problemas.append(f"{nombre} is {valor!r}: {error}")
    if problemas:
        raise ValueError("\n".join(problemas))
    return sobre


def _de_atributo(nombre: str, valor: str, topic: str, datos: Any) -> dict[str, Any]:
    """What an attribute says of the envelope."""
    match nombre:
        case "source":
            if not valor.startswith(FUENTE):
                raise ValueError(f"it must be {FUENTE}<service_name>")
            return {"service_name": unquote(valor.removeprefix(FUENTE), errors="strict")}
        case "time" | "ingestion":
            return {nombre: _ms(valor)}
        case "schemaversion":
            return {"specversion": valor}
        case "wirecontenttype":
            return {"datacontenttype": valor}
        case "id" | "type":
            return {nombre: valor}
        case "datacontenttype":
            fija, valor = JSON, valor.partition(";")[0].strip().lower()
        case "subject":
            fija = str(datos.get(TIPOS[topic].clave)) if isinstance(datos, dict) else valor
        case _:
            fija = {"specversion": VERSION, "topic": topic}[nombre]
    if valor != fija:
        raise ValueError(f"it must be {fija}")
    return {}


def _rfc3339(nombre: str, ms: int) -> str:
    try:
        return str(a_json(EPOCA + timedelta(milliseconds=ms)))
    except OverflowError:
        raise ValueError(f"CloudEvents can't carry {nombre} {ms}, in ms since 1970: years 1 to 9999 only") from None


def _ms(texto: str) -> int:
    """In ms since 1970, as our wire has it: what is finer is cut."""
    hora = datetime.fromisoformat(texto)
    if hora.tzinfo is None:
        raise ValueError("it must name its time zone, such as Z")
    return (hora - EPOCA) // timedelta(milliseconds=1)


def _permitido(caracter: str) -> bool:
    """https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md#type-system, String"""
    n = ord(caracter)
    return not (n < 32 or 127 <= n < 160 or 0xD800 <= n < 0xE000 or 0xFDD0 <= n < 0xFDF0 or n & 0xFFFE == 0xFFFE)
