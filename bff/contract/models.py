"""JSON Schemas of bodies, made from what they must agree with: the fields of requests, and the events' Avro schemas."""

from collections.abc import Mapping
from typing import Any, Final

from bff.bodies.fields import IDENTIFIER, Field
from bff.bodies.formats import FORMATS
from functions.messages.codec import codec, payload, record

Document = dict[str, Any]
"""An object of an OpenAPI document."""

_JSON_TYPES: Final[dict[str, Document]] = {
    "string": {"type": "string"},
    "int": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "uuid": {"type": "string", "format": "uuid"},
    "timestamp-millis": {"type": "string", "format": "date-time"},
}
UUID: Final = dict(IDENTIFIER.schema)
TEXT_SCHEMA: Final[Document] = {"type": "string"}


def schemas() -> Document:
    """The schemas that answers refer to, by name."""
    producto = _from_event_schema(
        "productos/evento-producto", without=("eliminado", "version", "movimientos"), names={"id_producto": "id"}
    )
    movimiento = object_schema({"id_producto": UUID} | _from_records("productos/evento-producto", "movimientos"))
    step = {
        "transaction_id": {"anyOf": [UUID, {"type": "null"}]},
        "timestamp": _JSON_TYPES["timestamp-millis"],
        "is_compensation": {"type": "boolean"},
        "evento": {"type": "string", "description": "The message's type: a topic's name."},
        "contenido": {"type": "object", "description": "The message's payload."},
        "id_mensaje": UUID,
    }
    error = object_schema({"campo": TEXT_SCHEMA, "detail": TEXT_SCHEMA})
    members = {"type": TEXT_SCHEMA, "title": TEXT_SCHEMA, "status": {"type": "integer"}, "detail": TEXT_SCHEMA}
    extra = {"campo": TEXT_SCHEMA, "errores": array_of(error), "estado": TEXT_SCHEMA, "stock": {"type": "integer"}}
    problem = object_schema(members) | {"properties": members | extra}
    orden = _from_event_schema("ordenes/evento-orden", without=("version",))
    conductor = object_schema(_from_records("conductores/evento-conductor", "conductores", without=("version",)))
    things = {"Orden": orden, "Producto": producto, "Movimiento": movimiento, "Conductor": conductor}
    return {**things, "Paso": object_schema(step), "Problema": problem}


def _from_event_schema(topic: str, without: tuple[str, ...], names: Mapping[str, str] | None = None) -> Document:
    """What a read model shows of a domain event. `names`: the names of fields that have another one there."""
    fields = [field for field in payload(codec(topic).definition) if field["name"] not in without]
    return object_schema({(names or {}).get(field["name"], field["name"]): _from_avro(field) for field in fields})


def _from_records(topic: str, name: str, without: tuple[str, ...] = ()) -> Document:
    """The properties that a read model shows of the records in a domain event's field."""
    fields = [field for field in record(codec(topic).definition, name) if field["name"] not in without]
    return {field["name"]: _from_avro(field) for field in fields}


def _from_avro(field: Mapping[str, Any]) -> Document:
    nullable = isinstance(field["type"], list)
    avro = field["type"][1] if nullable else field["type"]
    simple = _JSON_TYPES[avro["logicalType"] if isinstance(avro, dict) else avro]
    if "x-values" in field:
        simple = simple | {"enum": field["x-values"]}
    return {"description": field["doc"]} | ({"anyOf": [simple, {"type": "null"}]} if nullable else simple)


def from_fields(fields: Mapping[str, Field]) -> Document:
    """The schema of a request's body with these fields."""
    properties = {}
    for name, field in fields.items():
        properties[name] = {"anyOf": [field.schema, {"type": "null"}]} if field.is_optional else dict(field.schema)
    body: Document = {"type": "object", "properties": properties}
    required = [name for name, field in fields.items() if not field.is_optional]
    if required:
        body["required"] = required
    return body


def object_schema(fields: Mapping[str, Document]) -> Document:
    """The schema of an object that has all of these members."""
    return {"type": "object", "properties": dict(fields), "required": list(fields)}


def array_of(schema: Document) -> Document:
    """The schema of a list."""
    return {"type": "array", "items": schema}


def ref(name: str) -> Document:
    """A reference to one of `schemas`."""
    return {"$ref": f"#/components/schemas/{name}"}


def content(schema: Document) -> Document:
    """The content of a body, the same in each media type."""
    return {media_type: {"schema": schema} for media_type in FORMATS}
