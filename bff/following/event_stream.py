"""Server-Sent Events: the steps of an order as they come, then the order: once its saga, or all of it, has ended.

An event's id names all events up to it, not only its own step. So a client that connects again gets exactly the steps
that it lacks, even if some were logged late, between others that it already has.
"""

import re
from collections.abc import Sequence
from typing import Final

from flask import Request, Response
from werkzeug.exceptions import BadRequest

from bff.backends.read_models import Row
from bff.bodies import formats
from bff.following.waiting import has_ended, is_final

MEDIA_TYPE: Final = "text/event-stream"
HEADERS: Final = {"X-Accel-Buffering": "no"}
"""Headers of each stream: nginx, and proxies that follow it, pass every event on at once."""
PREAMBLE: Final = b"retry: 1000\n\n"
"""The beginning of each stream: clients connect again after 1000 ms."""
ALIVE: Final = b": waiting\n\n"
"""A comment, which clients ignore: proxies end what is silent for long."""
ALIVE_EVERY: Final = 5.0
"""Seconds without an event after which such a comment is written."""
LONGEST: Final = 30.0
"""Seconds after which a stream ends: by then a token may have expired. Clients come again."""
VISIBLE_WITHIN: Final = 1
"""Seconds that an accepted order has to appear; then the answer is 404, because there seems to be none."""
END: Final = "fin"
"""The part of an event's id that names the final event."""
LAST_STEPS: Final = ("comando-marcar-listo-despacho", "comando-revertir-orden-creada")
"""The last step of a saga that went well, and of one that was compensated."""
FINAL_STEPS: Final = ("comando-entregar-orden", "comando-revertir-orden-creada")
"""The last step of an order that was delivered, and of one for which all was undone."""
IDS: Final = rf"[0-9a-f]{{8}}(\.[0-9a-f]{{8}}){{0,200}}(\.{END})?"
"""The ids of events, as a regular expression: the last 8 digits of each step's id, with dots between them."""


def seen(last_id: str | None) -> list[str]:
    """The parts of the header Last-Event-ID, one for each event that the client has. Raises 400 if it can't be read."""
    if last_id is None:
        return []
    if not re.fullmatch(IDS, last_id):
        raise BadRequest("Last-Event-ID must be the id of an event of this stream: begin again without it")
    return last_id.split(".")


def is_all_that_is_accepted(request: Request) -> bool:
    """Whether the client takes no answer but an event stream, as browsers' EventSource does."""
    accepted = formats.accepted(request.headers.get("Accept"))
    return bool(accepted) and accepted[MEDIA_TYPE] > 0 and accepted.best_match(formats.FORMATS) is None


def refusal(detail: str, retry_after: int) -> Response:
    """A stream without events instead of an error: EventSource would give up for ever at any status but 200.

    `retry_after`: seconds after which the client connects again.
    """
    comment = " ".join(detail.split())
    return Response(f": {comment}\nretry: {1000 * retry_after}\n\n", headers=HEADERS, mimetype=MEDIA_TYPE)


class EventStream:
    """The events of one order that one client has not got yet.

    Parameters:
      seen: the parts of the last event's id that the client has.
      until_final: whether it goes on after the saga, until the order is in its last state.

    Attributes:
      has_steps: whether any step was read, new to the client or not.
      complete: whether the client has got everything.
    """

    def __init__(self, seen: list[str], *, until_final: bool = False) -> None:
        self._seen_ids = seen
        self._has_ended = is_final if until_final else has_ended
        self._last_steps = FINAL_STEPS if until_final else LAST_STEPS
        self.has_steps = False
        self.complete = False

    def new_events(self, orden: Row | None, steps: Sequence[Row]) -> bytes:
        """The events that the client lacks, as their bytes on the wire; from then on it has them."""
        self.has_steps = self.has_steps or bool(steps)
        events: list[bytes] = []
        for step in steps:
            event_id = step["id_mensaje"][-8:]  # random, unlike the beginning of a UUID, which may be a time
            if event_id not in self._seen_ids:
                self._seen_ids.append(event_id)
                events.append(self._event("paso", step))
        if self._has_ended(orden) and any(step["evento"] in self._last_steps for step in steps):
            self.complete = True
            if END not in self._seen_ids:
                self._seen_ids.append(END)
                events.append(self._event("orden", orden))
        return b"".join(events)

    def _event(self, name: str, data: Row) -> bytes:
        body = formats.FORMATS[formats.PREFERRED].write(data)
        return f"id: {'.'.join(self._seen_ids)}\nevent: {name}\ndata: ".encode() + body + b"\n\n"
