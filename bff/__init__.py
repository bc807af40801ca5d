"""The HTTP entry: commands are published, reads come from the read models, nothing is stored here."""

import logging
import time
from dataclasses import dataclass
from typing import Any, Final, Protocol, cast
from urllib.parse import quote
from uuid import UUID, uuid4

from flask import Blueprint, Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException, NotFound

from bff import formatos, validacion
from bff.broker import SinBroker
from bff.formatos import PREFERIDO, Texto, leer
from bff.lecturas import Lecturas, SinBaseDeDatos
from bff.validacion import CamposInvalidos, entero, validar
from functions.comun.codec import Publicacion, publicacion
from functions.comun.mensajes import CrearOrden, CrearProducto, Datos, EliminarProducto, RegistrarConductor, ahora

MAX_CUERPO: Final = 64 * 1024
"""Bytes of a request's body."""
MAX_FILAS: Final = 1000
"""Rows of a list."""
_DETALLES: Final = {
    404: "there is nothing at {0.path}: ids are UUIDs",
    405: "{0.method} is not allowed at {0.path}: the header Allow names what is",
    413: f"the body has {{0.content_length}} bytes: at most {MAX_CUERPO} are allowed",
    500: "the server failed, and has logged why: try again, or tell its operator when this happened",
}

rutas = Blueprint("rutas", __name__)
_accesos = logging.getLogger("bff.accesos")


class Publicador(Protocol):
    def publicar(self, mensaje: Publicacion) -> None: ...


@dataclass(frozen=True, slots=True)
class Servicios:
    """What the routes need."""

    publicador: Publicador
    lecturas: Lecturas
    max_cantidad: int


def crear_app(publicador: Publicador, lecturas: Lecturas, *, max_cantidad: int = 10_000) -> Flask:
    """The WSGI application. `max_cantidad`: units in one order, at most."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_CUERPO
    app.url_map.strict_slashes = app.url_map.merge_slashes = False
    app.extensions["bff"] = Servicios(publicador, lecturas, max_cantidad)
    app.register_blueprint(rutas)
    app.before_request(_empezar)
    app.after_request(_anotar)
    app.register_error_handler(HTTPException, _error_http)
    app.register_error_handler(CamposInvalidos, _campos_invalidos)
    app.register_error_handler(SinBroker, _sin_broker)
    app.register_error_handler(SinBaseDeDatos, _sin_base_de_datos)
    return app


@rutas.post("/orders")
def crear_orden() -> Response:
    datos = validar(leer(request), validacion.orden(_servicios().max_cantidad))
    orden = CrearOrden(id_orden=uuid4(), transaction_id=uuid4(), time_stamp=ahora(), **datos)
    return _encargar(orden, f"/orders/{orden.id_orden}", id_orden=orden.id_orden, transaction_id=orden.transaction_id)


@rutas.get("/orders")
def ver_ordenes() -> Response:
    return _respuesta(_servicios().lecturas.ordenes(_limite()))


@rutas.get("/orders/<uuid:id_orden>")
def ver_orden(id_orden: UUID) -> Response:
    return _respuesta(_servicios().lecturas.orden(id_orden) or _falta("order", id_orden))


@rutas.get("/orders/<uuid:id_orden>/saga")
def ver_saga(id_orden: UUID) -> Response:
    return _respuesta(_servicios().lecturas.saga(id_orden) or _falta("saga of an order", id_orden))


@rutas.post("/productos")
def crear_producto() -> Response:
    producto = CrearProducto(uuid4(), **validar(leer(request), validacion.PRODUCTO))
    return _encargar(producto, f"/productos/{producto.id_producto}", id=producto.id_producto)


@rutas.get("/productos")
def ver_productos() -> Response:
    return _respuesta({"resultado": _servicios().lecturas.productos(_limite())})


@rutas.get("/productos/<uuid:id_producto>")
def ver_producto(id_producto: UUID) -> Response:
    return _respuesta({"resultado": _servicios().lecturas.producto(id_producto) or _falta("product", id_producto)})


@rutas.delete("/productos/<uuid:id_producto>")
def eliminar_producto(id_producto: UUID) -> Response:
    return _encargar(EliminarProducto(id_producto), f"/productos/{id_producto}", id=id_producto)


@rutas.post("/conductores")
def registrar_conductor() -> Response:
    conductor = RegistrarConductor(uuid4(), **validar(leer(request), validacion.CONDUCTOR))
    return _encargar(conductor, f"/conductores/{conductor.id_conductor}", id_conductor=conductor.id_conductor)


@rutas.get("/conductores/<uuid:id_conductor>")
def ver_conductor(id_conductor: UUID) -> Response:
    raise NotFound(f"driver {id_conductor} can't be read: drivers have no read model. Orders show their id_driver")


@rutas.get("/health")
def health() -> Response:
    return _respuesta({"status": "ok"})


def _servicios() -> Servicios:
    return cast(Servicios, current_app.extensions["bff"])


def _encargar(datos: Datos, ubicacion: str, **ids: UUID) -> Response:
    """Publishes a command; 202 when the broker has it."""
    g.ids = ids
    _servicios().publicador.publicar(publicacion(uuid4(), g.ingestion, "bff", datos))
    return _respuesta({"mssg": "Procesando mensaje", **ids}, 202, Location=ubicacion)


def _limite() -> int:
    pedido = {campo: Texto(valor) for campo, valor in request.args.items()}
    return int(validar({"limit": MAX_FILAS, **pedido}, {"limit": entero(1, MAX_FILAS)})["limit"])


def _falta(que: str, id_buscado: UUID) -> Any:
    raise NotFound(f"there is no {que} {id_buscado}. If it was accepted a moment ago, ask again")


def _respuesta(datos: object, estado: int = 200, **cabeceras: str) -> Response:
    return formatos.respuesta(datos, g.tipo, estado, **cabeceras)


def _problema(estado: int, detalle: str, cabeceras: dict[str, str] | None = None, **extra: Any) -> Response:
    cuerpo, tipo = formatos.problema(estado, detalle, g.tipo, **extra)
    return Response(cuerpo, estado, cabeceras, content_type=tipo)


def _error_http(error: HTTPException) -> Response:
    """Werkzeug's own texts are for people in front of a browser."""
    detalle = str(error.description)
    if error.description == type(error).description:
        detalle = _DETALLES.get(error.code or 500, detalle).format(request)
    cabeceras = {nombre: valor for nombre, valor in error.get_headers() if nombre != "Content-Type"}
    return _problema(error.code or 500, detalle, cabeceras)


def _campos_invalidos(error: CamposInvalidos) -> Response:
    errores = [{"campo": campo, "detail": detalle} for campo, detalle in error.errores.items()]
    return _problema(400, str(error), campo=errores[0]["campo"], errores=errores)


def _sin_base_de_datos(error: SinBaseDeDatos) -> Response:
    current_app.logger.warning("%s", error)
    return _problema(503, "the database does not answer: try again", {"Retry-After": "1"})


def _sin_broker(error: SinBroker) -> Response:
    """With the ids, if the message may have been stored: the client can look for what it asked for."""
    if not error.enviado:
        return _problema(503, f"{error}. Nothing was done: try again", {"Retry-After": "1"})
    detalle = f"{error}. The request may be carried out nevertheless: look for its id before trying again"
    return _problema(503, detalle, {"Retry-After": "1"}, **g.ids)


def _empezar() -> None:
    g.inicio = time.perf_counter()
    g.ingestion = time.time_ns() // 1_000_000
    g.tipo = PREFERIDO  # in which a 406 is written
    g.tipo = formatos.elegir(request)


def _anotar(salida: Response) -> Response:
    salida.vary.add("Accept")
    ms = (time.perf_counter() - g.inicio) * 1000
    _accesos.info("%s %s %d %.1f ms", request.method, quote(request.path), salida.status_code, ms)
    return salida
