"""What stands before the application's threads: whoever sends slowly, reads slowly, waits or watches costs none.

An ASGI application around the WSGI one. A request gets a thread once its body is there; the thread is free again when
the route has returned. What is waited for, and what is written, is in the event loop's hands.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Response

from bff.following.followed import Followed
from bff.following.later import PENDING, Later, Ongoing
from bff.server import body
from bff.server.answers import Answer, Send, Writer, write_part
from bff.server.environ import environ
from bff.telemetry import metrics
from bff.web.before_request import LIVENESS

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class _ClientLeft(Exception):
    """Nobody would read the answer."""


class Door:
    """The ASGI application around a Flask application.

    Parameters:
      app: the application. Its routes return a Later for what has to be waited for.
      threads: requests at once in its routes; others queue.
      per_address: most requests of one address at once, for whatever they wait; more are answered 503. An address is
        that of the connection: behind proxies it is theirs.
    """

    def __init__(self, app: Any, threads: int, per_address: int) -> None:
        self._app = app
        self._threads = ThreadPoolExecutor(threads, "request")
        self._per_address = per_address
        self._in_hand: Counter[str] = Counter()
        self._writer = Writer()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answers one request."""
        address = (scope.get("client") or ("", 0))[0]
        is_liveness = scope["path"] == LIVENESS  # at once, without a thread or a body: while all else is busy, too
        self._in_hand[address] += 1
        metrics.begin_request()
        try:
            if self._in_hand[address] > self._per_address and not is_liveness:
                detail = f"{self._per_address} requests of this address are in hand: try again when one has ended"
                metrics.answered(scope["method"], "unknown", 503, 0)
                await self._writer.write(Answer.busy(detail), send, closes=True)
            else:
                await self._answer(scope, receive, send, is_liveness)
        except (_ClientLeft, TimeoutError):
            pass  # the connection is closed
        finally:
            metrics.end_request()
            self._in_hand[address] -= 1
            if not self._in_hand[address]:
                del self._in_hand[address]

    async def _answer(self, scope: Mapping[str, Any], receive: Receive, send: Send, is_liveness: bool) -> None:
        content = body.unread(scope) if is_liveness else await body.read(scope, receive)
        variables = environ(scope, content.stream, content.length)
        if is_liveness:
            answer = self._call(variables)
        else:
            answer = await asyncio.get_running_loop().run_in_executor(self._threads, self._call, variables)
        later: Later[Any] | None = variables.get(PENDING)
        if later is None:
            await self._writer.write(answer, send, closes=not content.is_whole)
            return
        watch = asyncio.create_task(_end_when_client_leaves(receive, later.followed))
        try:
            response = await _resolved(later)
            if watch.done():
                raise _ClientLeft
            goes_on = isinstance(response, Ongoing)
            await self._writer.write(Answer.of(response, variables), send, goes_on=goes_on)
            if isinstance(response, Ongoing):
                await _go_on(response, send)
        finally:
            watch.cancel()
            later.followed.leave()

    def _call(self, variables: dict[str, Any]) -> Answer:
        """Calls the WSGI application."""
        started: list[Any] = []
        chunks = self._app(variables, lambda status, headers, _=None: started.extend((status, headers)))
        try:
            content = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        status, headers = started
        return Answer.wsgi(status, headers, content)


async def _resolved(later: Later[Any]) -> Response:
    """The answer, when it is there or time is over."""
    now = asyncio.get_running_loop().time
    deadline = now() + later.seconds
    while not later.followed.is_over and (remaining := deadline - now()) > 0:
        if await later.followed.news(remaining) and (response := later.resume()) is not None:
            return response
    return later.give_up()


async def _go_on(ongoing: Ongoing[Any], send: Send) -> None:
    """Writes what follows, until all was written, time is over, or it can't be read."""
    now = asyncio.get_running_loop().time
    last_write = now()
    deadline = last_write + ongoing.seconds
    followed = ongoing.followed
    while not ongoing.is_complete() and (remaining := deadline - now()) > 0:
        has_news = await followed.news(min(remaining, ongoing.alive_every))
        if followed.is_over or followed.failure is not None:
            break
        part = ongoing.advance(followed.latest) if has_news else b""
        if not part and now() - last_write >= ongoing.alive_every:
            part = ongoing.alive
        if part:
            await write_part(send, part, goes_on=True)
            last_write = now()
    await write_part(send, b"", goes_on=False)


async def _end_when_client_leaves(receive: Receive, followed: Followed[Any]) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    followed.end()
