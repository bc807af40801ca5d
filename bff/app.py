"""The WSGI application: what happens to every request, before and after its route."""

import logging
import time
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from flask import Flask, Response, g, request
from flask_cors import CORS
from werkzeug.routing import UUIDConverter

from bff import errores, formatos, metricas, panel, permisos
from bff.autenticacion import Autenticacion, NoAutenticado
from bff.errores import MAX_CUERPO
from bff.espera import Turnos
from bff.formatos import PREFERIDO
from bff.lecturas import Lecturas
from bff.ritmo import Ritmo
from bff.rutas import Publicador, Servicios, rutas
from functions.comun import traza
from functions.comun.cluster.admin_rest import Api
from functions.comun.ids import Id, leer
from functions.comun.rastreo import Rastreador

SEGURIDAD: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",  # caches ask each time whether what they have is still so
}
"""What every answer tells browsers and caches."""
DE_UN_TIPO: Final = (
    *("rutas.ver_openapi", "rutas.ver_docs", "rutas.ver_metricas", "rutas.ver_eventos"),
    *("panel.ver_archivo", "panel.ver_topics"),
)
"""Routes that answer in one format, whatever is asked for."""
PEDIDAS: Final = "Authorization, Content-Type, Idempotency-Key, If-None-Match, Last-Event-ID, Prefer, traceparent"
DADAS: Final = "ETag, Link, Location, Content-Location, Preference-Applied, Retry-After, WWW-Authenticate, X-Request-Id"
"""Headers that web pages of other origins may send, and may read."""
MAX_LEIDO: Final = 1 << 20
"""Bytes of a body that is not wanted, at most, that are read nevertheless."""
_accesos = logging.getLogger("bff.accesos")


class _DeId(UUIDConverter):
    """Ids in paths, as all others are."""

    def to_python(self, value: str) -> Id:  # type: ignore[override]
        return leer(value)


def crear_app(
    publicador: Publicador,
    lecturas: Lecturas,
    *,
    max_cantidad: int = 10_000,
    max_esperas: int = 8,
    autenticacion: Autenticacion | None = None,
    ritmo: Ritmo | None = None,
    origenes: Sequence[str] = (),
    rastros: Rastreador | None = None,
    con_panel: bool = True,
    admin: Api | None = None,
) -> Flask:
    """The WSGI application. `max_cantidad`: units in one order, at most; `max_esperas`: requests that wait for a saga
    at once, fewer than threads; `autenticacion`: None lets everybody do everything; `origenes`: of web pages that may
    use the API, "*" for all; `rastros`: where spans go, and then every request's trace is recorded; `admin`: of the
    broker, for the panel's figures.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_CUERPO
    app.url_map.strict_slashes = app.url_map.merge_slashes = False
    app.url_map.converters["uuid"] = _DeId
    app.extensions["bff"] = Servicios(publicador, lecturas, max_cantidad, Turnos(max_esperas), rastros)
    app.register_blueprint(rutas)
    if con_panel:
        app.register_blueprint(panel.crear(admin))
    app.before_request(lambda: _empezar("00" if rastros is None else "01"))
    app.before_request(lambda: _admitir(autenticacion, ritmo))
    app.after_request(_terminar)
    app.teardown_request(lambda _: metricas.EN_CURSO.dec())
    errores.registrar(app)
    if origenes:
        CORS(
            app,
            origins=list(origenes),
            allow_headers=PEDIDAS.split(", "),
            expose_headers=DADAS.split(", "),
            max_age=600,
        )
    return app


def _empezar(marcas: str) -> None:
    metricas.EN_CURSO.inc()
    g.inicio = time.perf_counter()
    g.ingestion = time.time_ns() // 1_000_000
    g.traza = traza.leer(request.headers.get(traza.PROPIEDAD)) or traza.nueva(marcas)
    g.autor = None
    g.tipo = PREFERIDO  # in which a 406 is written
    if request.endpoint not in DE_UN_TIPO:
        g.tipo = formatos.elegir(request.headers.get("Accept"))


def _admitir(autenticacion: Autenticacion | None, ritmo: Ritmo | None) -> None:
    """Who it is, not too often, and whether they may. Those who are not known are counted by their address."""
    if permisos.es_abierta(request):
        return
    desconocido: NoAutenticado | None = None
    if autenticacion is not None:
        try:
            g.autor = autenticacion.autor(request.headers.get("Authorization"))
        except NoAutenticado as error:
            desconocido = error
    if ritmo is not None:
        ritmo.exigir(f"user {g.autor.nombre}" if g.autor else f"address {request.remote_addr}")
    if desconocido is not None:
        raise desconocido
    if g.autor is not None:
        permisos.exigir(g.autor, request)


def _terminar(salida: Response) -> Response:
    _leer_el_resto(salida)
    salida.vary.add("Accept")
    salida.headers["X-Request-Id"] = g.traza.id
    for nombre, valor in SEGURIDAD.items():
        salida.headers.setdefault(nombre, valor)
    if request.method in ("GET", "HEAD") and salida.status_code == 200 and not salida.is_streamed:
        salida.add_etag()
        salida.make_conditional(request)
    segundos = time.perf_counter() - g.inicio
    metricas.PETICIONES.labels(request.method, metricas.ruta(request), salida.status_code).observe(segundos)
    _anotar(salida, segundos)
    return salida


def _leer_el_resto(salida: Response) -> None:
    """Reads what nobody has read of the body: a connection that is closed on what is still to be sent may take the
    answer with it. Unless the client waits to be asked for it, or it is very large: then the answer says that.
    """
    if "Expect" in request.headers or (request.content_length or 0) > MAX_LEIDO:
        salida.headers["Connection"] = "close"
        return
    leidos, flujo = 0, request.environ["wsgi.input"]
    while leidos <= MAX_LEIDO and (trozo := flujo.read(MAX_CUERPO)):
        leidos += len(trozo)


def _anotar(salida: Response, segundos: float) -> None:
    ruta = quote(request.path)
    datos = {
        "method": request.method,
        "path": ruta,
        "status": salida.status_code,
        "ms": round(segundos * 1000, 1),
        "client": request.remote_addr,
        "user": g.autor.nombre if g.autor else None,
        **{nombre: str(valor) for nombre, valor in g.get("ids", {}).items()},
    }
    _accesos.info("%s %s %d", request.method, ruta, salida.status_code, extra=datos)
