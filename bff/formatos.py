"""HTTP bodies: what clients send, by Content-Type, and the JSON that they get."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final, NoReturn
from uuid import UUID
from xml.etree.ElementTree import Element, ParseError

from defusedxml.ElementTree import fromstring
from flask import Request, Response
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

PROBLEMA: Final = "application/problem+json"
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
    try:
        crudo.decode("utf-8")
        cuerpo = FORMATOS[tipo](crudo)
    except (ValueError, LookupError, RecursionError, ParseError) as error:
        raise BadRequest(f"the body can't be read as {tipo}: {error or type(error).__name__}"[:300]) from error
    if not isinstance(cuerpo, dict):
        raise BadRequest("the body must be one object with the fields as its members")
    return cuerpo


def _json(crudo: bytes) -> Any:
    return json.loads(crudo.decode("utf-8-sig"), parse_constant=_sin_infinitos)


def _sin_infinitos(constante: str) -> NoReturn:
    raise ValueError(f"{constante} is no JSON number")


def _xml(crudo: bytes) -> dict[str, Any]:
    """The children of the root, by name. Nested elements and repeated ones get no field's type."""
    cuerpo: dict[str, Any] = {}
    for hijo in fromstring(crudo, forbid_dtd=True):
        nombre = hijo.tag.rpartition("}")[2]
        cuerpo[nombre] = [] if nombre in cuerpo else _valor(hijo)
    return cuerpo


def _valor(elemento: Element) -> Texto | dict[str, Any]:
    return {} if len(elemento) else Texto((elemento.text or "").strip(BLANCOS))


FORMATOS: Final[dict[str, Callable[[bytes], Any]]] = {
    "application/json": _json,
    "application/xml": _xml,
    "text/xml": _xml,
}
"""How each media type is read. A new format is a line here."""


def escribir(datos: object) -> str:
    """JSON; times in ISO 8601, UTC, with milliseconds."""
    return json.dumps(datos, default=_a_texto, separators=(",", ":"))


def _a_texto(valor: object) -> str:
    if isinstance(valor, datetime):
        return valor.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if isinstance(valor, UUID):
        return str(valor)
    raise TypeError(f"{type(valor).__name__} has no form in JSON: {valor!r}")


def respuesta(datos: object, estado: int = 200, **cabeceras: str) -> Response:
    """A JSON answer."""
    return Response(escribir(datos), estado, cabeceras, mimetype="application/json")


def problema(estado: int, detalle: str, **extra: Any) -> str:
    """An RFC 9457 document. `extra` are members that RFC 9457 does not name."""
    titulo = HTTPStatus(estado).phrase
    return escribir({"type": "about:blank", "title": titulo, "status": estado, "detail": detalle, **extra})
