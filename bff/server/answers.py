"""Writing answers: who reads them slowly, or not at all, holds no thread and little memory."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Response

from bff.bodies import formats

CHUNK: Final = 64 * 1024
"""Bytes that are written at once. An answer that is not longer is left to the HTTP server and the kernel."""
CHUNK_TIMEOUT: Final = 10.0
"""Seconds that a client has to take each CHUNK; then its connection is closed."""
MAX_UNSENT: Final = 64 * 1024 * 1024
"""Most bytes of longer answers in memory that their clients have not taken yet."""
RETRY_AFTER: Final = "3"
"""Seconds after which there may be room again."""
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; its body, or the beginning of it."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @classmethod
    def of(cls, response: Response, environ: dict[str, Any]) -> "Answer":
        """What a Flask response is, for the request with this WSGI environment."""
        body, status, headers = response.get_wsgi_response(environ)
        return cls.wsgi(status, headers, b"".join(body))

    @classmethod
    def wsgi(cls, status: str, headers: list[tuple[str, str]], body: bytes) -> "Answer":
        """What a WSGI application answers. `status`: such as "200 OK"."""
        return cls(int(status.partition(" ")[0]), headers, body)

    @classmethod
    def busy(cls, detail: str) -> "Answer":
        """503: try again."""
        body, media_type = formats.problem(503, detail)
        headers = [("Content-Type", media_type), ("Content-Length", str(len(body))), ("Retry-After", RETRY_AFTER)]
        return cls(503, headers, body)


class Writer:
    """Writes the answers of one process, in its event loop."""

    def __init__(self) -> None:
        self._unsent = 0

    async def write(self, answer: Answer, send: Send, *, closes: bool = False, goes_on: bool = False) -> None:
        """Writes an answer. Raises TimeoutError if the client does not take it.

        Parameters:
          closes: whether the connection ends after it.
          goes_on: whether more parts of its body follow, by `write_part`.
        """
        is_long = len(answer.body) > CHUNK
        if is_long and self._unsent + len(answer.body) > MAX_UNSENT:
            answer = Answer.busy("too many clients read long answers slowly: try again, or ask for a smaller limit")
            is_long = False
        headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
        if closes and not any(name == b"connection" for name, _ in headers):
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if is_long:
            await self._write_long(answer.body, send)
        else:
            await send({"type": "http.response.body", "body": answer.body, "more_body": goes_on})

    async def _write_long(self, body: bytes, send: Send) -> None:
        self._unsent += len(body)
        try:
            for start in range(0, len(body), CHUNK):
                await write_part(send, body[start : start + CHUNK], goes_on=start + CHUNK < len(body))
        finally:
            self._unsent -= len(body)


async def write_part(send: Send, part: bytes, *, goes_on: bool) -> None:
    """Writes a part of an answer's body. Raises TimeoutError if the client does not take it."""
    async with asyncio.timeout(CHUNK_TIMEOUT):
        await send({"type": "http.response.body", "body": part, "more_body": goes_on})
