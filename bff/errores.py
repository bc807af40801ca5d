"""Every error as an RFC 9457 problem document, in the format that the client asked for."""

from typing import Any, Final

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from bff import formatos
from bff.autenticacion import NoAutenticado
from bff.broker import SinBroker
from bff.claves import SinClaves
from bff.lecturas import SinBaseDeDatos
from bff.validacion import CamposInvalidos

MAX_CUERPO: Final = 64 * 1024
"""Bytes of a request's body."""
_DETALLES: Final = {
    404: "there is nothing at {0.path}: ids are UUIDs",
    405: "{0.method} is not allowed at {0.path}: the header Allow names what is",
    413: f"the body has {{0.content_length}} bytes: at most {MAX_CUERPO} are allowed",
    500: "the server failed, and has logged why: try again, or tell its operator the X-Request-Id of this answer",
}


def registrar(app: Flask) -> None:
    app.register_error_handler(HTTPException, _error_http)
    app.register_error_handler(CamposInvalidos, _campos_invalidos)
    app.register_error_handler(SinBroker, _sin_broker)
    app.register_error_handler(SinBaseDeDatos, _sin_base_de_datos)
    app.register_error_handler(NoAutenticado, _no_autenticado)
    app.register_error_handler(SinClaves, _sin_claves)


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


def _no_autenticado(error: NoAutenticado) -> Response:
    motivo = "" if error.error is None else f', error="{error.error}", error_description="{error}"'
    return _problema(401, str(error), {"WWW-Authenticate": f'Bearer realm="orders"{motivo}'})


def _sin_claves(error: SinClaves) -> Response:
    current_app.logger.warning("%s", error)
    return _problema(503, "tokens can't be verified now: try again", {"Retry-After": "5"})


def _sin_base_de_datos(error: SinBaseDeDatos) -> Response:
    current_app.logger.warning("%s", error)
    return _problema(503, "the database does not answer: try again", {"Retry-After": "1"})


def _sin_broker(error: SinBroker) -> Response:
    """With the ids, if the message may have been stored: the client can look for what it asked for."""
    if not error.enviado:
        return _problema(503, f"{error}. Nothing was done: try again", {"Retry-After": "1"})
    detalle = f"{error}. The request may be carried out nevertheless: look for its id before trying again"
    return _problema(503, detalle, {"Retry-After": "1"}, **g.ids)
