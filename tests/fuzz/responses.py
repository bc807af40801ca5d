"""What every answer must be, whatever was asked: HTTP, not the server's failure, and what its Content-Type says."""

import json
import socket
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from typing import Any, BinaryIO, Final
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import fromstring

_PARSERS: Final[dict[str, Callable[[str], Any]]] = {"json": json.loads, "xml": fromstring}


class _Stream:
    """A stream of several answers: none of them closes it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def makefile(self, _mode: str) -> "_Stream":
        return self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def close(self) -> None:
        pass


def read(stream: BinaryIO, method: str) -> tuple[HTTPResponse, bytes]:
    """The next answer."""
    sock: Any = _Stream(stream)
    response = HTTPResponse(sock, method=method)
    response.begin()
    return response, response.read()


def read_all(sock: socket.socket, method: str) -> list[tuple[HTTPResponse, bytes]]:
    """The answers until the connection's end; the first one is to a request with `method`."""
    answers: list[tuple[HTTPResponse, bytes]] = []
    with sock.makefile("rb") as stream:
        while stream.peek(1):
            answers.append(read(stream, "GET" if answers else method))
    return answers


def defect(response: HTTPResponse, body: bytes) -> str | None:
    """What is wrong with the answer to a request."""
    status, media_type = response.status, response.headers.get_content_type()
    if status >= 500:
        return f"{status}: {body[:300]!r}"
    if not body:
        is_protocol_error = status in (400, 431) and "Server" not in response.headers  # no request yet
        is_head = response._method == "HEAD"  # type: ignore[attr-defined]
        return None if is_protocol_error or is_head or status in (200, 304) else f"{status} without a body"
    if status >= 400 and media_type not in ("application/problem+json", "application/problem+xml"):
        return f"{status} as {media_type}"
    try:
        _PARSERS[media_type.replace("/", "+").rpartition("+")[2]](body.decode("utf-8"))
    except (KeyError, ValueError, ParseError) as error:
        return f"{status} as {media_type}, but {error!r}: {body[:300]!r}"
    return None


PROTOCOL_ERRORS = (HTTPException, OSError)
"""Raised for what is no answer at all."""
