"""Changes of a schema, planted in a next version of it: what the gate must say of each."""

import copy
from collections.abc import Callable
from typing import Any

from tools.cluster.schema_files import released

TOPIC = "ordenes/comando-crear-orden"
Change = Callable[[dict[str, Any]], Any]


def payload_fields(schema: dict[str, Any]) -> Any:
    return schema["fields"][-1]["type"]["fields"]


def field(schema: dict[str, Any], name: str) -> Any:
    return next(field for field in payload_fields(schema) if field["name"] == name)


def following(change: Change) -> tuple[dict[str, Any], dict[int, Any]]:
    """A next version with the change, and what was released before it."""
    before = released(TOPIC)
    schema = copy.deepcopy(before[max(before)])
    schema["version"] = str(max(before) + 1)
    change(schema)
    return schema, before


COMPATIBLE: dict[str, Change] = {
    "a new optional field": lambda e: payload_fields(e).append(
        {"name": "x", "type": ["null", "string"], "default": None}
    ),
    "a new field with a default": lambda e: payload_fields(e).append({"name": "x", "type": "int", "default": 7}),
    "an optional field less": lambda e: payload_fields(e).remove(field(e, "instrucciones_entrega")),
    "fields in another order": lambda e: payload_fields(e).reverse(),
    "another doc": lambda e: field(e, "cantidad").update(doc="Units."),
    "another example": lambda e: field(e, "cantidad").update({"x-example": 3}),
    "a default more": lambda e: field(e, "cantidad").update(default=1),
}
INCOMPATIBLE: dict[str, tuple[Change, str]] = {
    "a field less": (
        lambda e: payload_fields(e).remove(field(e, "cantidad")),
        "data.cantidad is gone, and it has no default",
    ),
    "a new field without default": (
        lambda e: payload_fields(e).append({"name": "x", "type": "string"}),
        'data.x is new and has no default .*"type": \\["null", "string"\\], "default": null',
    ),
    "a renamed field": (
        lambda e: field(e, "cantidad").update(name="unidades"),
        "data.cantidad was renamed to unidades, it seems .*keep cantidad",
    ),
    "a renamed field with an alias": (
        lambda e: field(e, "cantidad").update(name="unidades", aliases=["cantidad"]),
        "data.cantidad was renamed to unidades, it seems",
    ),
    "another type": (lambda e: field(e, "cantidad").update(type="string"), 'data.cantidad\'s type was "int" and is'),
    "a wider type": (lambda e: field(e, "cantidad").update(type="long"), "data.cantidad's type"),
    "a type made optional": (
        lambda e: field(e, "cantidad").update(type=["null", "int"], default=None),
        "data.cantidad's type",
    ),
    "an optional type made mandatory": (
        lambda e: field(e, "instrucciones_entrega").update(type="string"),
        "data.instrucciones_entrega's type",
    ),
    "a nested record renamed": (
        lambda e: e["fields"][-1]["type"].update(name="Otra"),
        "data's record was CrearOrden and is Otra",
    ),
    "the record renamed": (lambda e: e.update(name="Otra"), "its name was monoliticas.ordenes.ComandoCrearOrden"),
    "a field of the envelope less": (lambda e: e["fields"].pop(1), "time is gone"),
    "a default less": (
        lambda e: field(e, "instrucciones_entrega").pop("default"),
        "data.instrucciones_entrega's default, null, is gone",
    ),
}
UNSEEN_BY_AVRO: dict[str, tuple[Change, str]] = {
    "another logical type": (
        lambda e: field(e, "time_stamp").update(type={"type": "long", "logicalType": "timestamp-micros"}),
        "data.time_stamp's type",
    ),
    "no logical type": (lambda e: field(e, "time_stamp").update(type="long"), "data.time_stamp's type"),
    "bytes for text": (lambda e: field(e, "user_id").update(type="bytes"), "data.user_id's type"),
    "another namespace": (lambda e: e.update(namespace="otra"), "its name was monoliticas.ordenes"),
}
"""What Avro lets pass, and the gate does not."""
