"""Requests go the way that the server lets them go: through the door, which waits for answers that come later."""

import asyncio
import threading
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from functools import cache
from queue import SimpleQueue
from typing import Any

from flask import Flask
from werkzeug.datastructures import EnvironHeaders
from werkzeug.test import Client
from werkzeug.wsgi import ClosingIterator

from bff.server.door import Door


def client(app: Flask) -> Client:
    """A client of the application behind its door. An answer that is not read to its end has to be closed."""
    return Client(application(app))


def application(app: Flask) -> Any:
    """The application behind its door as a WSGI application again."""
    door = Door(app, threads=8, per_address=1000)

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        exchange = _Exchange(environ)
        done = asyncio.run_coroutine_threadsafe(exchange.run(door), _loop())
        done.add_done_callback(lambda _: exchange.sent.put(None))
        start = exchange.sent.get()
        if start is None:
            done.result()
            raise AssertionError("no answer")
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
        start_response(f"{start['status']} -", headers)
        return ClosingIterator(exchange.parts(), lambda: exchange.leave(done))

    return call


class _Exchange:
    """One request and its answer."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        headers = {name.lower().encode(): value.encode("latin-1") for name, value in EnvironHeaders(dict(environ))}
        self.scope = {
            "type": "http",
            "method": environ["REQUEST_METHOD"],
            "scheme": environ["wsgi.url_scheme"],
            "path": environ["PATH_INFO"],
            "raw_path": environ["PATH_INFO"].encode("latin-1"),
            "query_string": environ["QUERY_STRING"].encode("latin-1"),
            "http_version": environ["SERVER_PROTOCOL"].partition("/")[2],
            "headers": list(headers.items()),
            "client": ("127.0.0.1", 1),
            "server": ("localhost", 80),
        }
        self.sent: SimpleQueue[Any] = SimpleQueue()
        self._body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        self._received = 0
        self._left = asyncio.Event()

    async def run(self, door: Door) -> None:
        await door(self.scope, self._receive, self._send)

    def parts(self) -> Iterator[bytes]:
        """The body as it comes."""
        while (message := self.sent.get()) is not None:
            yield message["body"]

    def leave(self, done: "Future[None]") -> None:
        """Ends the connection, and waits until the server has noticed."""
        _loop().call_soon_threadsafe(self._left.set)
        done.result(10)

    async def _receive(self) -> Mapping[str, Any]:
        self._received += 1
        if self._received == 1 and self._body:
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Mapping[str, Any]) -> None:
        self.sent.put(message)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="door", daemon=True).start()
    return loop
