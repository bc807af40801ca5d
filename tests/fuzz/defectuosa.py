"""An API with a defect, for the tests of the fuzzers: python -m tests.fuzz.defectuosa PORT DEFECT."""

import sys
from collections.abc import Callable
from typing import Final

import waitress
from flask import Flask, Response

from bff.app import crear_app
from tests.fakes import LecturasFalsas, PublicadorFalso


def _que_falla(respuesta: Response) -> Response:
    respuesta.status_code = 500 if respuesta.status_code == 202 else respuesta.status_code
    return respuesta


def _en_html(respuesta: Response) -> Response:
    return Response("<p>", 400, content_type="text/html") if respuesta.status_code == 400 else respuesta


_GUARDADO: Final[list[bytes]] = []


def _que_crece(respuesta: Response) -> Response:
    _GUARDADO.append(b"x" * 50_000)
    return respuesta


DEFECTOS: Final[dict[str, Callable[[Response], Response]]] = {
    "500": _que_falla,
    "html": _en_html,
    "memory": _que_crece,
}


def _app(defecto: str) -> Flask:
    app = crear_app(PublicadorFalso(), LecturasFalsas())
    app.after_request(DEFECTOS[defecto])
    return app


if __name__ == "__main__":
    waitress.serve(_app(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[1]), threads=8, _quiet=True)
