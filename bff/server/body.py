"""Reading a request's body: whole, within a time and up to a size, before the request gets a thread."""

import asyncio
import io
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, cast

from werkzeug.exceptions import BadRequest, HTTPException, RequestTimeout

from bff.bodies.formats import MAX_BODY

TIMEOUT: Final = 10.0
"""Seconds that a body may take."""
MAX_DRAINED: Final = 1 << 20
"""Most bytes that are read of a body that is too long: if the connection were closed on data that is still arriving,
the client might lose the answer."""


@dataclass(frozen=True, slots=True)
class Body:
    """What is known of a request's body.

    Attributes:
      stream: the body; empty if it is too long. If it did not come, whoever reads it gets the error to answer with.
      length: its bytes, or how many it is said to have; None if there is none.
      is_whole: whether all of it was read: else the connection can't be used again.
    """

    stream: BinaryIO
    length: int | None
    is_whole: bool


class _Failing(io.RawIOBase):
    """A body that can't be read, with the reason."""

    def __init__(self, error: HTTPException) -> None:
        self._error = error

    def readable(self) -> bool:
        return True

    def readinto(self, _: Any) -> int:
        raise self._error


def unread(scope: Mapping[str, Any]) -> Body:
    """The body of a request whose body does not matter."""
    length, is_chunked, _ = _announced(scope)
    return Body(io.BytesIO(), None, not length and not is_chunked)


async def read(scope: Mapping[str, Any], receive: Callable[[], Awaitable[Mapping[str, Any]]]) -> Body:
    """Reads the body."""
    length, is_chunked, expects = _announced(scope)
    if not length and not is_chunked:
        return Body(io.BytesIO(), length, True)
    if length is not None and length > MAX_BODY and (expects or length > MAX_DRAINED):
        return Body(io.BytesIO(), length, False)
    parts: list[bytes] = []
    size, goes_on = 0, True
    try:
        async with asyncio.timeout(TIMEOUT):
            while goes_on:
                message = await receive()
                if message["type"] == "http.disconnect":  # or its chunks are none
                    return _failed(BadRequest("the body breaks off, or its chunks can't be read"), length)
                part = message.get("body", b"")
                size += len(part)
                if size > MAX_DRAINED:
                    return Body(io.BytesIO(), size, False)
                if size <= MAX_BODY:
                    parts.append(part)
                goes_on = message.get("more_body", False)
    except TimeoutError:
        return _failed(RequestTimeout(f"the body did not come within {TIMEOUT:.0f} s: send it again, faster"), length)
    return Body(io.BytesIO(b"".join(parts)), size, True)


def _failed(error: HTTPException, length: int | None) -> Body:
    return Body(cast(BinaryIO, _Failing(error)), length or 1, False)


def _announced(scope: Mapping[str, Any]) -> tuple[int | None, bool, bool]:
    """The length, whether the body comes in chunks, and whether the client waits for a word before it sends it."""
    headers = {name.lower(): value for name, value in scope["headers"]}
    length = headers.get(b"content-length", b"")
    return int(length) if length.isdigit() else None, b"transfer-encoding" in headers, b"expect" in headers
