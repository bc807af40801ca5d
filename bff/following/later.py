"""Answers that are not there yet when a route returns: the server waits for them without a thread."""

import contextvars
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from flask import Response, current_app

from bff.following.followed import Followed

PENDING: Final = "bff.pending"
"""The key of the WSGI environment where the server finds the Later that it has to wait for."""
T = TypeVar("T")


class Later(Response, Generic[T]):
    """The answer to a request that waits for something. A route returns it; the server makes the answer of it.

    `resume` and `give_up` run in the request's context, in the server's event loop: they must not block. What they
    raise is answered as what a route raises.

    Parameters:
      followed: what is waited for.
      seconds: how long.
      resume: makes the answer from what was read; None if that is not enough, and it has to be waited for longer.
      give_up: makes the answer if time is over.
    """

    def __init__(
        self,
        followed: Followed[T],
        seconds: float,
        resume: Callable[[T | None], Response | None],
        give_up: Callable[[], Response],
    ) -> None:
        super().__init__()
        self.followed = followed
        self.seconds = seconds
        self._resume, self._give_up = resume, give_up
        self._context = contextvars.copy_context()

    def resume(self) -> Response | None:
        """The answer that can be given now, if there is one."""
        return self._context.run(_answer, lambda: self._resume(self.followed.latest))

    def give_up(self) -> Response:
        """The answer if time is over."""
        answer = self._context.run(_answer, self._give_up)
        assert answer is not None
        return answer


class Ongoing(Response, Generic[T]):
    """An answer whose body goes on after what it has at first, as things happen.

    Parameters:
      body: what it has at first.
      followed: what happens.
      seconds: how long it goes on, at most.
      advance: makes the next part of the body from what was read. It runs in the server's event loop.
      is_complete: whether that was all.
      alive: what is written if nothing happens for `alive_every` seconds: proxies end what is silent.
    """

    def __init__(
        self,
        body: bytes,
        followed: Followed[T],
        *,
        seconds: float,
        advance: Callable[[T | None], bytes],
        is_complete: Callable[[], bool],
        alive: tuple[bytes, float],
        headers: dict[str, str],
        mimetype: str,
    ) -> None:
        super().__init__(body, headers=headers, mimetype=mimetype)
        self.followed = followed
        self.seconds = seconds
        self.advance = advance
        self.is_complete = is_complete
        self.alive, self.alive_every = alive
        del self.headers["Content-Length"]

    automatically_set_content_length = False
    is_streamed = True
    """No ETag can be made of it."""


def _answer(make: Callable[[], Response | None]) -> Response | None:
    """What `make` makes, as the application would answer it; None if that is None."""
    app = current_app
    try:
        try:
            made = make()
        except Exception as error:
            return app.finalize_request(app.handle_user_exception(error))
        return None if made is None else app.finalize_request(made)
    except Exception as error:
        return app.handle_exception(error)
