"""The WSGI application: what happens to every request, before and after its route."""

import logging
import time
from threading import Semaphore
from typing import Final
from urllib.parse import quote

from flask import Flask, Response, g, request

from bff import errores, formatos
from bff.errores import MAX_CUERPO
from bff.formatos import PREFERIDO
from bff.lecturas import Lecturas
from bff.rutas import Publicador, Servicios, rutas

SEGURIDAD: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",  # caches ask each time whether what they have is still so
}
"""What every answer tells browsers and caches."""
DE_UN_TIPO: Final = ("rutas.ver_openapi", "rutas.ver_docs")
"""Routes that answer in one format, whatever is asked for."""
_accesos = logging.getLogger("bff.accesos")


def crear_app(publicador: Publicador, lecturas: Lecturas, *, max_cantidad: int = 10_000, max_esperas: int = 8) -> Flask:
    """The WSGI application. `max_cantidad`: units in one order, at most; `max_esperas`: requests that wait for the end
    of a saga at once, fewer than threads.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_CUERPO
    app.url_map.strict_slashes = app.url_map.merge_slashes = False
    app.extensions["bff"] = Servicios(publicador, lecturas, max_cantidad, Semaphore(max_esperas))
    app.register_blueprint(rutas)
    app.before_request(_empezar)
    app.after_request(_terminar)
    errores.registrar(app)
    return app


def _empezar() -> None:
    g.inicio = time.perf_counter()
    g.ingestion = time.time_ns() // 1_000_000
    g.tipo = PREFERIDO  # in which a 406 is written
    if request.endpoint not in DE_UN_TIPO:
        g.tipo = formatos.elegir(request)


def _terminar(salida: Response) -> Response:
    salida.vary.add("Accept")
    for nombre, valor in SEGURIDAD.items():
        salida.headers.setdefault(nombre, valor)
    if request.method in ("GET", "HEAD") and salida.status_code == 200:
        salida.add_etag()
        salida.make_conditional(request)
    ms = (time.perf_counter() - g.inicio) * 1000
    _accesos.info("%s %s %d %.1f ms", request.method, quote(request.path), salida.status_code, ms)
    return salida
