"""HTTP bodies: what clients send, by Content-Type, and what they get, by Accept."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from http import HTTPStatus
from typing import Any, Final, NoReturn
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml.ElementTree import fromstring
from flask import Request, Response
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import BadRequest, NotAcceptable, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.http import parse_accept_header

_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document may hold."""
PROFUNDIDAD: Final = 100
"""Levels of elements below the root, in XML that is sent."""
BLANCOS: Final = " \t\r\n"
"""Around a text they mean nothing, in XML and so in every format."""


class Texto(str):
    """A value of a format without types: `validacion` may read it as a number."""

    __slots__ = ()


def leer(peticion: Request) -> dict[str, Any]:
    """The body's fields. Raises 400, 413 or 415 with a text for the client."""
    tipo = peticion.mimetype
    if tipo not in FORMATOS:
        raise UnsupportedMediaType(f"Content-Type is {tipo or 'missing'}: send one of {', '.join(FORMATOS)}")
    charset = peticion.mimetype_params.get("charset", "utf-8").lower()
    if charset not in ("utf-8", "utf8", "us-ascii"):
        raise UnsupportedMediaType(f"charset is {charset[:40]}: send UTF-8")
    crudo = peticion.get_data(cache=False)
    if peticion.content_length is None and len(crudo) >= (peticion.max_content_length or math.inf):
        raise RequestEntityTooLarge(f"the body has {len(crudo)} bytes or more: say its Content-Length, or send less")
    try:
        crudo.decode("utf-8")
        cuerpo = FORMATOS[tipo].leer(crudo)
    except (ValueError, LookupError, RecursionError, ParseError) as error:
        raise BadRequest(f"the body can't be read as {tipo}: {error or type(error).__name__}"[:300]) from error
    if not isinstance(cuerpo, dict):
        raise BadRequest("the body must be one object with the fields as its members")
    return cuerpo


def _leer_json(crudo: bytes) -> Any:
    return json.loads(crudo.decode("utf-8-sig"), parse_constant=_sin_infinitos)


def _sin_infinitos(constante: str) -> NoReturn:
    raise ValueError(f"{constante} is no JSON number")


def _leer_xml(crudo: bytes) -> dict[str, Any]:
    """The children of the root, by name. Nested elements and repeated ones get no field's type."""
    cuerpo: dict[str, Any] = {}
    raiz = fromstring(crudo, forbid_dtd=True)
    _exigir_llano(raiz)
    if "".join([raiz.text or "", *(hijo.tail or "" for hijo in raiz)]).strip(BLANCOS):
        raise ValueError(f"text that is in no field, but in {raiz.tag} itself")
    for hijo in raiz:
        nombre = hijo.tag.rpartition("}")[2]
        cuerpo[nombre] = [] if nombre in cuerpo else _valor(hijo)
    return cuerpo


def _exigir_llano(raiz: Element) -> None:
    nivel = [raiz]
    for _ in range(PROFUNDIDAD + 1):
        nivel = [hijo for elemento in nivel for hijo in elemento]
    if nivel:
        raise ValueError(f"elements in elements, more than {PROFUNDIDAD} deep")


def _valor(elemento: Element) -> Texto | dict[str, Any]:
    return {} if len(elemento) else Texto((elemento.text or "").strip(BLANCOS))


def _escribir_json(datos: object) -> bytes:
    """Times in ISO 8601, UTC, with milliseconds."""
    return json.dumps(datos, default=a_texto, separators=(",", ":")).encode()


def _escribir_xml(datos: object, raiz: str = "respuesta", ns: str = "") -> bytes:
    """A member is an element; of a list, an element `i`, as RFC 9457 has them; null is `xsi:nil`."""
    elemento = _elemento(raiz, datos, f"{{{ns}}}" if ns else "")
    return bytes(tostring(elemento, "utf-8", xml_declaration=True, default_namespace=ns or None))


def _elemento(nombre: str, datos: object, ns: str) -> Element:
    elemento = Element(ns + nombre)
    match datos:
        case dict():
            elemento.extend(_elemento(clave, valor, ns) for clave, valor in datos.items())
        case list():
            elemento.extend(_elemento("i", valor, ns) for valor in datos)
        case None:
            elemento.set(f"{{{_XSI}}}nil", "true")
        case bool():
            elemento.text = str(datos).lower()
        case str() | int() | float():
            elemento.text = _NO_XML.sub("\ufffd", str(datos))
        case _:
            elemento.text = a_texto(datos)
    return elemento


def a_texto(valor: object) -> str:
    """Of what JSON has no form for."""
    if isinstance(valor, datetime):
        return valor.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    raise TypeError(f"{type(valor).__name__} has no form in text: {valor!r}")


@dataclass(frozen=True, slots=True)
class Formato:
    """How bodies are read and written, and RFC 9457 documents, of the media type `problema`."""

    leer: Callable[[bytes], Any]
    escribir: Callable[[object], bytes]
    problema: str
    escribir_problema: Callable[[object], bytes]


_JSON: Final = Formato(_leer_json, _escribir_json, "application/problem+json", _escribir_json)
_PROBLEMA_XML: Final = partial(_escribir_xml, raiz="problem", ns="urn:ietf:rfc:7807")
_XML: Final = Formato(_leer_xml, _escribir_xml, "application/problem+xml", _PROBLEMA_XML)
FORMATOS: Final = {"application/json": _JSON, "application/xml": _XML, "text/xml": _XML}
"""Each media type, the preferred one first. A new format is a line here."""
PREFERIDO: Final = next(iter(FORMATOS))


@lru_cache(64)  # nearly all clients say one of a few things, and reading it takes longer than the JSON
def elegir(accept: str | None) -> str:
    """The media type to answer in: what Accept asks for. Raises 406 if it is none of ours."""
    if not (aceptados := parse_accept_header(accept, MIMEAccept)):
        return PREFERIDO
    if (mejor := aceptados.best_match(FORMATOS)) is None:
        raise NotAcceptable(f"Accept is {str(aceptados)[:100]}: ask for one of {', '.join(FORMATOS)}")
    return mejor


def respuesta(datos: object, tipo: str, estado: int = 200, cabeceras: Mapping[str, str] | None = None) -> Response:
    return Response(FORMATOS[tipo].escribir(datos), estado, cabeceras, mimetype=tipo)


def problema(estado: int, detalle: str, tipo: str = PREFERIDO, **extra: Any) -> tuple[bytes, str]:
    """An RFC 9457 document and its media type. `extra` are members that RFC 9457 does not name."""
    documento = {
        "type": "about:blank",
        "title": HTTPStatus(estado).phrase,
        "status": estado,
        "detail": detalle,
        **extra,
    }
    formato = FORMATOS[tipo]
    return formato.escribir_problema(documento), formato.problema
