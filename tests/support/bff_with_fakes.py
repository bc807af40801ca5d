"""The BFF with its real HTTP server, and fakes for broker and databases: `python -m tests.support.bff_with_fakes PORT`.

It has one order, which never ends, and PLACES places for requests that wait.
"""

import sys
from typing import Any, Final

from bff.server import server

ID_ORDEN: Final = "6f1c1d4e-8a3b-4c5d-9e7f-0a1b2c3d4e5f"
PLACES: Final = 2


def load() -> Any:
    """The application, in the worker's process."""
    from bff.app import create_app
    from tests.support.fakes import FakePublisher, FakeReadModels

    orden = {"id_orden": ID_ORDEN, "estado": "creada"}
    step = {"id_mensaje": ID_ORDEN, "evento": "comando-crear-orden", "contenido": {}}
    return create_app(FakePublisher(), FakeReadModels([orden], [], [step]), max_waiting=PLACES)


if __name__ == "__main__":
    server._load = load
    server.serve("127.0.0.1", int(sys.argv[1]), 1, 2 * PLACES)
