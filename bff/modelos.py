"""JSON Schemas of what requests and answers hold: from the validators that check them, and from the events' schemas."""

from collections.abc import Mapping
from typing import Any, Final

from bff.formatos import FORMATOS
from bff.validacion import IDENTIFICADOR, Campo
from functions.comun.codec import codec, payload

Documento = dict[str, Any]

_JSON_DE: Final[dict[str, Documento]] = {
    "string": {"type": "string"},
    "int": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "uuid": {"type": "string", "format": "uuid"},
    "timestamp-millis": {"type": "string", "format": "date-time"},
}
UUID: Final = dict(IDENTIFICADOR.esquema)
TEXTO: Final[Documento] = {"type": "string"}


def esquemas() -> Documento:
    producto = _de_evento("productos/evento-producto", sin=("eliminado", "version"), nombres={"id_producto": "id"})
    paso = {
        "transaction_id": {"anyOf": [UUID, {"type": "null"}]},
        "timestamp": _JSON_DE["timestamp-millis"],
        "is_compensation": {"type": "boolean"},
        "evento": {"type": "string", "description": "The message's type: a topic's name."},
        "contenido": {"type": "object", "description": "The message's payload."},
        "id_mensaje": UUID,
    }
    error = objeto({"campo": TEXTO, "detail": TEXTO})
    problema = {"type": TEXTO, "title": TEXTO, "status": {"type": "integer"}, "detail": TEXTO}
    problema = objeto(problema) | {"properties": {**problema, "campo": TEXTO, "errores": lista(error)}}
    orden = _de_evento("ordenes/evento-orden", sin=("version",))
    return {"Orden": orden, "Producto": producto, "Paso": objeto(paso), "Problema": problema}


def _de_evento(topic: str, sin: tuple[str, ...], nombres: Mapping[str, str] | None = None) -> Documento:
    """What a read model shows of a domain event."""
    campos = [campo for campo in payload(codec(topic).definicion) if campo["name"] not in sin]
    return objeto({(nombres or {}).get(campo["name"], campo["name"]): _de_avro(campo) for campo in campos})


def _de_avro(campo: Mapping[str, Any]) -> Documento:
    nulo = isinstance(campo["type"], list)
    avro = campo["type"][1] if nulo else campo["type"]
    simple = _JSON_DE[avro["logicalType"] if isinstance(avro, dict) else avro]
    if "x-values" in campo:
        simple = simple | {"enum": campo["x-values"]}
    return {"description": campo["doc"]} | ({"anyOf": [simple, {"type": "null"}]} if nulo else simple)


def de_campos(campos: Mapping[str, Campo]) -> Documento:
    """A request's body."""
    propiedades = {}
    for nombre, campo in campos.items():
        propiedades[nombre] = {"anyOf": [campo.esquema, {"type": "null"}]} if campo.optativo else dict(campo.esquema)
    obligatorios = [nombre for nombre, campo in campos.items() if not campo.optativo]
    return {"type": "object", "properties": propiedades} | ({"required": obligatorios} if obligatorios else {})


def objeto(campos: Mapping[str, Documento]) -> Documento:
    return {"type": "object", "properties": dict(campos), "required": list(campos)}


def lista(esquema: Documento) -> Documento:
    return {"type": "array", "items": esquema}


def ref(nombre: str) -> Documento:
    return {"$ref": f"#/components/schemas/{nombre}"}


def contenido(esquema: Documento) -> Documento:
    """In each format."""
    return {tipo: {"schema": esquema} for tipo in FORMATOS}
