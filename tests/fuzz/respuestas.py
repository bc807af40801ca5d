"""What every answer must be, whatever was asked: HTTP, not the server's failure, and what its Content-Type says."""

import json
import socket
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from typing import Any, BinaryIO, Final
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import fromstring

_LECTORES: Final[dict[str, Callable[[str], Any]]] = {"json": json.loads, "xml": fromstring}


class _Flujo:
    """A stream of several answers: none of them closes it."""

    def __init__(self, flujo: BinaryIO) -> None:
        self._flujo = flujo

    def makefile(self, _modo: str) -> "_Flujo":
        return self

    def __getattr__(self, nombre: str) -> Any:
        return getattr(self._flujo, nombre)

    def close(self) -> None:
        pass


def leer(flujo: BinaryIO, metodo: str) -> tuple[HTTPResponse, bytes]:
    """The next answer."""
    enchufe: Any = _Flujo(flujo)
    respuesta = HTTPResponse(enchufe, method=metodo)
    respuesta.begin()
    return respuesta, respuesta.read()


def todas(enchufe: socket.socket, metodo: str) -> list[tuple[HTTPResponse, bytes]]:
    """The answers until the connection's end; the first one is to a request with `metodo`."""
    leidas: list[tuple[HTTPResponse, bytes]] = []
    with enchufe.makefile("rb") as flujo:
        while flujo.peek(1):
            leidas.append(leer(flujo, "GET" if leidas else metodo))
    return leidas


def defecto(respuesta: HTTPResponse, cuerpo: bytes) -> str | None:
    """What is wrong with the answer to a request."""
    estado, tipo = respuesta.status, respuesta.headers.get_content_type()
    if estado >= 500:
        return f"{estado}: {cuerpo[:300]!r}"
    if not cuerpo:
        de_http = estado in (400, 431) and "Server" not in respuesta.headers  # no request yet
        es_head = respuesta._method == "HEAD"  # type: ignore[attr-defined]
        return None if de_http or es_head or estado in (200, 304) else f"{estado} without a body"
    if estado >= 400 and tipo not in ("application/problem+json", "application/problem+xml"):
        return f"{estado} as {tipo}"
    try:
        _LECTORES[tipo.replace("/", "+").rpartition("+")[2]](cuerpo.decode("utf-8"))
    except (KeyError, ValueError, ParseError) as error:
        return f"{estado} as {tipo}, but {error!r}: {cuerpo[:300]!r}"
    return None


PROTOCOLO = (HTTPException, OSError)
"""Raised for what is no answer at all."""
