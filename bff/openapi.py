"""The API as an OpenAPI 3.1 document, made from what checks the requests."""

from collections.abc import Mapping
from typing import Any, Final

from bff import eventos, validacion
from bff.errores import MAX_CUERPO
from bff.formatos import FORMATOS
from bff.modelos import TEXTO, UUID, Documento, contenido, de_campos, esquemas, lista, objeto, ref
from bff.paginas import PAGINA
from bff.validacion import Campo

VERSION: Final = "1.0.0"
"""Of the API: the second number grows with what is new; the first, and the path with it, with what breaks clients."""
_CABECERAS: Final[dict[str, tuple[str, Documento]]] = {
    "Idempotency-Key": ("The same request again is done once.", {"type": "string", "pattern": '^"?[!#-~]{1,255}"?$'}),
    "Prefer": ("`wait=N`: answer when the order has ended, within N seconds.", {"type": "string"}),
    "Last-Event-ID": (
        "The last event that the client has; browsers send it by themselves.",
        {"type": "string", "pattern": rf"^{eventos.IDS}$"},
    ),
    "If-None-Match": ("The ETag of what the client has.", {"type": "string"}),
}
_ERRORES: Final[dict[int, str]] = {
    400: "A field, a header or the whole request can't be read: `errores` names each wrong field.",
    404: "There is none, or not yet.",
    406: "Accept asks for no media type that there is.",
    413: f"The body has more than {MAX_CUERPO} bytes.",
    415: "Content-Type is none of those that are taken, or the charset not UTF-8.",
    422: "The Idempotency-Key was used for another request.",
    503: "The broker or a database is away.",
}
_DE_UN_CUERPO: Final = (400, 406, 413, 415)


def documento(max_cantidad: int) -> Documento:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Order fulfilment",
            "version": VERSION,
            "description": "Commands are answered 202 once the broker has stored them; reads show what became of them. "
            "Every body, of a request or of an answer, may be JSON or XML; in XML a list's members are elements `i`, "
            "and null is `xsi:nil`; the root's name, namespaces and attributes mean nothing. Unknown fields are "
            "ignored, and so are blanks around a text.",
        },
        "paths": _rutas(max_cantidad),
        "components": {"schemas": esquemas()},
    }


def _rutas(max_cantidad: int) -> Documento:
    orden, pagina = ref("Orden"), objeto({"resultado": lista(ref("Producto"))})
    ids_orden, encargo_orden = ("id_orden", "transaction_id"), validacion.orden(max_cantidad)
    ver_orden = _enlaces("id_orden", "id_orden", "ver_orden", "ver_saga")
    ver_producto = _enlaces("id", "id_producto", "ver_producto", "eliminar_producto")
    return {
        "/orders": {
            "post": _encargo("crear_orden", "Place an order", encargo_orden, ids_orden, ver_orden, orden),
            "get": _lectura("ver_ordenes", "Orders, newest first", lista(orden), PAGINA | validacion.FILTROS),
        },
        "/orders/{id_orden}": {"get": _lectura("ver_orden", "An order", orden), **_id("id_orden")},
        "/orders/{id_orden}/saga": {
            "get": _lectura("ver_saga", "The steps of an order's saga", lista(ref("Paso"))),
            **_id("id_orden"),
        },
        "/orders/{id_orden}/events": {
            "get": _flujo("ver_eventos", "The steps of an order's saga as they come, then the order"),
            **_id("id_orden"),
        },
        "/productos": {
            "post": _encargo("crear_producto", "Create a product", validacion.PRODUCTO, ("id",), ver_producto),
            "get": _lectura("ver_productos", "Products, oldest first", pagina, PAGINA),
        },
        "/productos/{id_producto}": {
            "get": _lectura("ver_producto", "A product", objeto({"resultado": ref("Producto")})),
            "delete": _encargo("eliminar_producto", "Delete a product: orders of it fail from then on", None, ("id",)),
            **_id("id_producto"),
        },
        "/conductores": {
            "post": _encargo(
                "registrar_conductor", "Register a driver, who takes one order", validacion.CONDUCTOR, ("id_conductor",)
            )
        },
        "/health": {"get": _estado("health", "Does the process serve?", 400, 406)},
        "/ready": {"get": _estado("ready", "Do broker and databases answer?", 400, 406, 503)},
        "/metrics": {"get": _texto("ver_metricas", "Figures for Prometheus", "text/plain", 400)},
    }


def _encargo(
    nombre: str,
    resumen: str,
    campos: Mapping[str, Campo] | None,
    ids: tuple[str, ...],
    enlaces: Documento | None = None,
    final: Documento | None = None,
) -> Documento:
    """A command. `enlaces`: what can be asked with its answer, which a key can be used for another request of;
    `final`: what is answered to those who prefer to wait for the end.
    """
    aceptada = _respuesta("The broker has stored it.", objeto({"mssg": TEXTO} | dict.fromkeys(ids, UUID)), "Location")
    respuestas = {"202": aceptada | ({"links": enlaces} if enlaces else {})}
    if final is not None:
        respuestas["200"] = _respuesta("It has ended (only with `Prefer: wait`).", final, "Location")
    errores = (400, 404, 406, 503) if campos is None else (*_DE_UN_CUERPO, *[422] * bool(enlaces), 503)
    operacion: Documento = {"operationId": nombre, "summary": resumen, "responses": respuestas | _errores(*errores)}
    if campos is not None:
        operacion["requestBody"] = {"required": True, "content": contenido(de_campos(campos))}
        operacion["parameters"] = [_cabecera("Idempotency-Key")] + [_cabecera("Prefer")] * (final is not None)
    return operacion


def _lectura(nombre: str, resumen: str, esquema: Documento, consulta: Mapping[str, Campo] | None = None) -> Documento:
    """A list, if it has a `consulta`; else one thing, which there may not be."""
    operacion = _estado(nombre, resumen, 400, *([] if consulta else [404]), 406, 503)
    operacion["responses"]["200"] = _respuesta(resumen, esquema, "ETag", *(["Link"] if consulta else []))
    operacion["parameters"][:0] = [_parametro("query", dato, campo.esquema) for dato, campo in (consulta or {}).items()]
    return operacion


def _estado(nombre: str, resumen: str, *errores: int) -> Documento:
    bien = _respuesta(resumen, objeto({"status": TEXTO}), "ETag")
    return {
        "operationId": nombre,
        "summary": resumen,
        "parameters": [_cabecera("If-None-Match")],
        "responses": {"200": bien, "304": {"description": "Nothing has changed."}} | _errores(*errores),
    }


def _texto(nombre: str, resumen: str, tipo: str, *errores: int) -> Documento:
    bien = {"description": resumen, "content": {tipo: {"schema": TEXTO}}}
    return {"operationId": nombre, "summary": resumen, "responses": {"200": bien} | _errores(*errores)}


def _flujo(nombre: str, resumen: str) -> Documento:
    operacion = _texto(nombre, resumen, eventos.TIPO, 400, 404, 503)
    campos = {"id": TEXTO, "event": {"type": "string", "enum": ["paso", "orden"]}, "data": TEXTO}
    operacion["responses"]["200"]["content"][eventos.TIPO]["schema"] = {"type": "object", "properties": campos}
    operacion["description"] = "Server-Sent Events: `paso` for each step, at the end `orden`; data in JSON."
    operacion["parameters"] = [_cabecera("Last-Event-ID")]
    operacion["responses"]["204"] = {"description": "There is nothing after that event: don't come again."}
    return operacion


def _errores(*estados: int) -> Documento:
    """As RFC 9457 has them."""
    tipos = {formato.problema: {"schema": ref("Problema")} for formato in FORMATOS.values()}
    errores: Documento = {str(estado): {"description": _ERRORES[estado], "content": tipos} for estado in estados}
    if "503" in errores:
        errores["503"]["headers"] = _cabeceras("Retry-After")
    return errores


def _respuesta(descripcion: str, esquema: Documento, *cabeceras: str) -> Documento:
    return {"description": descripcion, "content": contenido(esquema), "headers": _cabeceras(*cabeceras)}


def _cabeceras(*nombres: str) -> Documento:
    return {nombre: {"required": True, "schema": TEXTO} for nombre in nombres}


def _enlaces(de: str, a: str, *operaciones: str) -> Documento:
    """What can be asked with the id that the answer has."""
    return {op: {"operationId": op, "parameters": {a: f"$response.body#/{de}"}} for op in operaciones}


def _id(nombre: str) -> Documento:
    return {"parameters": [_parametro("path", nombre, UUID)]}


def _cabecera(nombre: str) -> Documento:
    descripcion, esquema = _CABECERAS[nombre]
    return _parametro("header", nombre, esquema) | {"description": descripcion}


def _parametro(donde: str, nombre: str, esquema: Mapping[str, Any]) -> Documento:
    return {"name": nombre, "in": donde, "required": donde == "path", "schema": dict(esquema)}
