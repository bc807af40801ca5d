"""The API as an OpenAPI 3.1 document: requests from the validators that check them, answers from events' schemas."""

from collections.abc import Mapping
from typing import Any, Final

from bff import validacion
from bff.formatos import FORMATOS
from bff.paginas import PAGINA
from bff.validacion import IDENTIFICADOR, Campo
from functions.comun.codec import codec, payload

VERSION: Final = "1.0.0"
"""Of the API: the second number grows with what is new; the first, and the path with it, with what breaks clients."""
Documento = dict[str, Any]

_JSON_DE: Final[dict[str, Documento]] = {
    "string": {"type": "string"},
    "int": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "uuid": {"type": "string", "format": "uuid"},
    "timestamp-millis": {"type": "string", "format": "date-time"},
}
_UUID: Final = dict(IDENTIFICADOR.esquema)
_TEXTO: Final[Documento] = {"type": "string"}
_CABECERAS: Final[dict[str, tuple[str, Documento]]] = {
    "Idempotency-Key": ("The same request again is done once.", {"type": "string", "pattern": r"^[!#-~]{1,255}$"}),
    "Prefer": ("`wait=N`: answer when the order has ended, within N seconds.", {"type": "string"}),
    "Last-Event-ID": ("The last event that the client has; browsers send it by themselves.", {"type": "string"}),
    "If-None-Match": ("The ETag of what the client has.", {"type": "string"}),
}


def documento(max_cantidad: int) -> Documento:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Order fulfilment",
            "version": VERSION,
            "description": "Commands are answered 202 once the broker has stored them; reads show what became of them. "
            "Every body, of a request or of an answer, may be JSON or XML; in XML a list's members are elements `i`, "
            "and null is `xsi:nil`. Unknown fields are ignored.",
        },
        "paths": _rutas(max_cantidad),
        "components": {"schemas": _esquemas()},
    }


def _rutas(max_cantidad: int) -> Documento:
    orden, pagina = _ref("Orden"), _lista(_ref("Producto"))
    return {
        "/orders": {
            "post": _encargo("Place an order", validacion.orden(max_cantidad), ("id_orden", "transaction_id"), orden),
            "get": _lectura("Orders, newest first", _lista(orden), PAGINA | validacion.FILTROS),
        },
        "/orders/{id_orden}": {"get": _lectura("An order", orden), **_id("id_orden")},
        "/orders/{id_orden}/saga": {
            "get": _lectura("The steps of an order's saga", _lista(_ref("Paso"))),
            **_id("id_orden"),
        },
        "/orders/{id_orden}/events": {
            "get": _flujo("The steps of an order's saga as they come (event `paso`), then the order (`orden`)"),
            **_id("id_orden"),
        },
        "/productos": {
            "post": _encargo("Create a product", validacion.PRODUCTO, ("id",)),
            "get": _lectura("Products, oldest first", _objeto({"resultado": pagina}), PAGINA),
        },
        "/productos/{id_producto}": {
            "get": _lectura("A product", _objeto({"resultado": _ref("Producto")})),
            "delete": _encargo("Delete a product: orders of it fail from then on", None, ("id",)),
            **_id("id_producto"),
        },
        "/conductores": {
            "post": _encargo("Register a driver, who takes one order", validacion.CONDUCTOR, ("id_conductor",))
        },
        "/health": {"get": _lectura("Does the process serve?", _objeto({"status": _TEXTO}))},
        "/ready": {"get": _lectura("Do broker and databases answer?", _objeto({"status": _TEXTO}))},
        "/metrics": {"get": _texto("Figures for Prometheus", "text/plain")},
    }


def _encargo(
    resumen: str, campos: Mapping[str, Campo] | None, ids: tuple[str, ...], final: Documento | None = None
) -> Documento:
    """A command. `final`: what is answered to those who prefer to wait for the end."""
    aceptada = _objeto({"mssg": _TEXTO} | dict.fromkeys(ids, _UUID))
    respuestas = {"202": _respuesta("The broker has stored it.", aceptada)}
    if final is not None:
        respuestas["200"] = _respuesta("It has ended (only with `Prefer: wait`).", final)
    operacion: Documento = {"summary": resumen, "responses": respuestas | _errores()}
    if campos is not None:
        operacion["requestBody"] = {"required": True, "content": _contenido(_de_campos(campos))}
        operacion["parameters"] = [_cabecera("Idempotency-Key")] + [_cabecera("Prefer")] * (final is not None)
    return operacion


def _lectura(resumen: str, esquema: Documento, consulta: Mapping[str, Campo] | None = None) -> Documento:
    parametros = [_parametro("query", nombre, campo.esquema) for nombre, campo in (consulta or {}).items()]
    bien = _respuesta("", esquema) | {"headers": {"ETag": {"schema": _TEXTO}}}
    if consulta:
        bien["headers"]["Link"] = {"description": "The first page, and the next one.", "schema": _TEXTO}
    return {
        "summary": resumen,
        "parameters": [*parametros, _cabecera("If-None-Match")],
        "responses": {"200": bien | {"description": resumen}, "304": {"description": "Nothing has changed."}}
        | _errores(),
    }


def _texto(resumen: str, tipo: str) -> Documento:
    bien = {"description": resumen, "content": {tipo: {"schema": _TEXTO}}}
    return {"summary": resumen, "responses": {"200": bien} | _errores()}


def _flujo(resumen: str) -> Documento:
    operacion = _texto(resumen, "text/event-stream")
    operacion["parameters"] = [_cabecera("Last-Event-ID")]
    operacion["responses"]["204"] = {"description": "There is nothing after that event: don't come again."}
    return operacion


def _errores() -> Documento:
    tipos = {formato.problema: {"schema": _ref("Problema")} for formato in FORMATOS.values()}
    return {"default": {"description": "What went wrong, as RFC 9457 has it.", "content": tipos}}


def _respuesta(descripcion: str, esquema: Documento) -> Documento:
    return {"description": descripcion, "content": _contenido(esquema)}


def _contenido(esquema: Documento) -> Documento:
    return {tipo: {"schema": esquema} for tipo in FORMATOS}


def _de_campos(campos: Mapping[str, Campo]) -> Documento:
    esquema: Documento = {
        "type": "object",
        "properties": {
            nombre: {"anyOf": [campo.esquema, {"type": "null"}]} if campo.optativo else campo.esquema
            for nombre, campo in campos.items()
        },
    }
    if obligatorios := [nombre for nombre, campo in campos.items() if not campo.optativo]:
        esquema["required"] = obligatorios
    return esquema


def _esquemas() -> Documento:
    producto = _de_evento("productos/evento-producto", sin=("eliminado", "version"), nombres={"id_producto": "id"})
    paso = {
        "transaction_id": {"anyOf": [_UUID, {"type": "null"}]},
        "timestamp": _JSON_DE["timestamp-millis"],
        "is_compensation": {"type": "boolean"},
        "evento": {"type": "string", "description": "The message's type: a topic's name."},
        "contenido": {"type": "object", "description": "The message's payload."},
        "id_mensaje": _UUID,
    }
    error = _objeto({"campo": _TEXTO, "detail": _TEXTO})
    problema = {"type": _TEXTO, "title": _TEXTO, "status": {"type": "integer"}, "detail": _TEXTO}
    problema = _objeto(problema) | {"properties": {**problema, "campo": _TEXTO, "errores": _lista(error)}}
    orden = _de_evento("ordenes/evento-orden", sin=("version",))
    return {"Orden": orden, "Producto": producto, "Paso": _objeto(paso), "Problema": problema}


def _de_evento(topic: str, sin: tuple[str, ...], nombres: Mapping[str, str] | None = None) -> Documento:
    """What a read model shows of a domain event."""
    campos = [campo for campo in payload(codec(topic).definicion) if campo["name"] not in sin]
    return _objeto({(nombres or {}).get(campo["name"], campo["name"]): _de_avro(campo) for campo in campos})


def _de_avro(campo: Mapping[str, Any]) -> Documento:
    nulo = isinstance(campo["type"], list)
    avro = campo["type"][1] if nulo else campo["type"]
    simple = _JSON_DE[avro["logicalType"] if isinstance(avro, dict) else avro]
    if "x-values" in campo:
        simple = simple | {"enum": campo["x-values"]}
    return {"description": campo["doc"]} | ({"anyOf": [simple, {"type": "null"}]} if nulo else simple)


def _objeto(campos: Mapping[str, Documento]) -> Documento:
    return {"type": "object", "properties": dict(campos), "required": list(campos)}


def _lista(esquema: Documento) -> Documento:
    return {"type": "array", "items": esquema}


def _ref(nombre: str) -> Documento:
    return {"$ref": f"#/components/schemas/{nombre}"}


def _id(nombre: str) -> Documento:
    return {"parameters": [_parametro("path", nombre, _UUID)]}


def _cabecera(nombre: str) -> Documento:
    descripcion, esquema = _CABECERAS[nombre]
    return _parametro("header", nombre, esquema) | {"description": descripcion}


def _parametro(donde: str, nombre: str, esquema: Mapping[str, Any]) -> Documento:
    return {"name": nombre, "in": donde, "required": donde == "path", "schema": dict(esquema)}
