"""Server-Sent Events: the steps of an order's saga as they come, then the order as it ended.

An event's id names all events up to it, not only its own step. So a client that connects again gets exactly the steps
that it lacks, even if some were logged late, between others that it already has.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from werkzeug.exceptions import BadRequest

from bff.backends.read_models import DatabaseUnavailable, Row
from bff.bodies.formats import FORMATS, PREFERRED
from bff.following.waiting import LONGEST_WAIT, has_ended, polls

MEDIA_TYPE: Final = "text/event-stream"
PREAMBLE: Final = b"retry: 1000\n\n"
"""The beginning of each stream: clients connect again after 1000 ms."""
VISIBLE_WITHIN: Final = 1
"""Seconds that an accepted order has to appear; then the stream ends, because there seems to be none."""
END: Final = "fin"
"""The part of an event's id that names the final event."""
LAST_STEPS: Final = ("comando-marcar-listo-despacho", "comando-revertir-orden-creada")
"""The last step of a saga that went well, and of one that was compensated."""
IDS: Final = rf"[0-9a-f]{{8}}(\.[0-9a-f]{{8}}){{0,200}}(\.{END})?"
"""The ids of events, as a regular expression: the last 8 digits of each step's id, with dots between them."""


def seen(last_id: str | None) -> list[str]:
    """The parts of the header Last-Event-ID, one for each event that the client has. Raises 400 if it can't be read."""
    if last_id is None:
        return []
    if not re.fullmatch(IDS, last_id):
        raise BadRequest("Last-Event-ID must be the id of an event of this stream: begin again without it")
    return last_id.split(".")


class EventStream:
    """The events of one order, for one client.

    It polls the read models until the order has ended and the last step of its saga was sent, or for LONGEST_WAIT
    seconds: then clients connect again. If a database fails after the first step the stream just ends, for the same
    reason; before that DatabaseUnavailable is raised. A stream can be read only once.

    Parameters:
      read: reads the order, or None, and the steps of its saga so far.
      seen: the parts of the last event's id that the client has.

    Attributes:
      has_steps: whether any step was read, sent or not.
      complete: whether the client has got everything.
    """

    def __init__(self, read: Callable[[], tuple[Row | None, Sequence[Row]]], seen: list[str]) -> None:
        self._read = read
        self._seen_ids = seen
        self.has_steps = False
        self.complete = False

    def events(self) -> Iterator[bytes]:
        """The events that the client lacks, each as its bytes on the wire."""
        try:
            deadline = time.monotonic() + VISIBLE_WITHIN
            for _ in polls(LONGEST_WAIT):
                orden, steps = self._read()
                self.has_steps = self.has_steps or bool(steps)
                yield from self._new_events(orden, steps)
                if self.complete or (not self.has_steps and time.monotonic() > deadline):
                    return
        except DatabaseUnavailable:
            if not self.has_steps:
                raise

    def _new_events(self, orden: Row | None, steps: Sequence[Row]) -> Iterator[bytes]:
        for step in steps:
            event_id = step["id_mensaje"][-8:]  # random, unlike the beginning of a UUID, which may be a time
            if event_id not in self._seen_ids:
                self._seen_ids.append(event_id)
                yield self._event("paso", step)
        if has_ended(orden) and any(step["evento"] in LAST_STEPS for step in steps):
            self.complete = True
            if END not in self._seen_ids:
                self._seen_ids.append(END)
                yield self._event("orden", orden)

    def _event(self, name: str, data: Row) -> bytes:
        body = FORMATS[PREFERRED].write(data)
        return f"id: {'.'.join(self._seen_ids)}\nevent: {name}\ndata: ".encode() + body + b"\n\n"
