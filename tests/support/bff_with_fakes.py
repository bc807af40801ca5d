"""The BFF with its real HTTP server, and fakes for broker and databases: `python -m tests.support.bff_with_fakes PORT`,
and for HTTPS the files of a certificate and its key.

It has one order, which never ends, and all that are placed, which end as soon as `GET /orders?user_id=end` comes. Its
limits are low, and its time limits short.
"""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bff.access.certificate import Certificate
from bff.backends.read_models import Row
from bff.server import answers, body, server
from functions.messages.ids import Id
from tests.support.fakes import FakePublisher, FakeReadModels

ID_ORDEN: Final = "6f1c1d4e-8a3b-4c5d-9e7f-0a1b2c3d4e5f"
THREADS: Final = 2
PLACES: Final = 200
"""For requests that wait or follow an order."""
PER_ADDRESS: Final = 300
BODY_TIMEOUT: Final = 3.0
LONG_TEXT: Final = "x" * 1_000_000
MAX_UNSENT: Final = 10_000_000


class Shop(FakeReadModels):
    """Orders that end when they are told to."""

    has_ended = False

    def ordenes(self, limit: int, filters: Any, after: Any = None) -> list[Row]:
        self.has_ended = self.has_ended or filters["user_id"] == "end"
        return [{"id_orden": ID_ORDEN, "time_stamp": None, "direccion_entrega": LONG_TEXT}]

    def these_ordenes(self, ids: Sequence[Id]) -> dict[Id, Row]:
        return {id_orden: self._orden(id_orden) for id_orden in ids}

    def sagas(self, ids: Sequence[Id]) -> dict[Id, list[Row]]:
        return {id_orden: [{"id_mensaje": id_orden, "evento": "comando-crear-orden"}] for id_orden in ids}

    def _orden(self, id_orden: Id) -> Row:
        has_ended = self.has_ended and id_orden != ID_ORDEN
        return {"id_orden": id_orden, "estado": "iniciada" if has_ended else "creada"}


def load() -> Any:
    """The application, in the worker's process."""
    from bff.app import create_app
    from bff.following.followings import Followings
    from bff.server import signals
    from bff.server.door import Door

    read_models = Shop()
    followings = Followings(read_models)
    signals.deliver_first_to_loop(asyncio.get_event_loop())
    signals.before_end(followings.close)
    app = create_app(FakePublisher(), read_models, followings=followings, max_waiting=PLACES)
    return Door(app, THREADS, PER_ADDRESS)


if __name__ == "__main__":
    server._load = load
    body.TIMEOUT = BODY_TIMEOUT  # type: ignore[misc]
    answers.CHUNK_TIMEOUT = BODY_TIMEOUT  # type: ignore[misc]
    answers.MAX_UNSENT = MAX_UNSENT  # type: ignore[misc]
    port, *files = sys.argv[1:]
    server.serve("127.0.0.1", int(port), 1, Certificate(*map(Path, files)) if files else None)
