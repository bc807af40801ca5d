"""An API with a defect, for the tests of the fuzzers: python -m tests.fuzz.defective PORT DEFECT."""

import sys
from collections.abc import Callable
from typing import Final

import waitress
from flask import Flask, Response

from bff.app import create_app
from tests.support import through_door
from tests.support.fakes import FakePublisher, FakeReadModels


def _failing(response: Response) -> Response:
    response.status_code = 500 if response.status_code == 202 else response.status_code
    return response


def _as_html(response: Response) -> Response:
    return Response("<p>", 400, content_type="text/html") if response.status_code == 400 else response


_KEPT: Final[list[bytes]] = []


def _growing(response: Response) -> Response:
    _KEPT.append(b"x" * 250_000)
    return response


DEFECTS: Final[dict[str, Callable[[Response], Response]]] = {
    "500": _failing,
    "html": _as_html,
    "memory": _growing,
}


def _app(defect: str) -> Flask:
    app = create_app(FakePublisher(), FakeReadModels())
    app.after_request(DEFECTS[defect])
    return app


if __name__ == "__main__":
    waitress.serve(
        through_door.application(_app(sys.argv[2])), host="127.0.0.1", port=int(sys.argv[1]), threads=8, _quiet=True
    )
