"""Changes of a schema, planted in a next version of it: what the gate must say of each."""

import copy
from collections.abc import Callable
from typing import Any

from schemas_files import lanzadas

TOPIC = "ordenes/comando-crear-orden"
Cambio = Callable[[dict[str, Any]], Any]


def datos(esquema: dict[str, Any]) -> Any:
    return esquema["fields"][-1]["type"]["fields"]


def campo(esquema: dict[str, Any], nombre: str) -> Any:
    return next(campo for campo in datos(esquema) if campo["name"] == nombre)


def siguiente(cambio: Cambio) -> tuple[dict[str, Any], dict[int, Any]]:
    """A next version with the change, and what was released before it."""
    antes = lanzadas(TOPIC)
    esquema = copy.deepcopy(antes[max(antes)])
    esquema["version"] = str(max(antes) + 1)
    cambio(esquema)
    return esquema, antes


COMPATIBLES: dict[str, Cambio] = {
    "a new optional field": lambda e: datos(e).append({"name": "x", "type": ["null", "string"], "default": None}),
    "a new field with a default": lambda e: datos(e).append({"name": "x", "type": "int", "default": 7}),
    "an optional field less": lambda e: datos(e).remove(campo(e, "instrucciones_entrega")),
    "fields in another order": lambda e: datos(e).reverse(),
    "another doc": lambda e: campo(e, "cantidad").update(doc="Units."),
    "another example": lambda e: campo(e, "cantidad").update({"x-example": 3}),
    "a default more": lambda e: campo(e, "cantidad").update(default=1),
}
INCOMPATIBLES: dict[str, tuple[Cambio, str]] = {
    "a field less": (lambda e: datos(e).remove(campo(e, "cantidad")), "data.cantidad is gone, and it has no default"),
    "a new field without default": (
        lambda e: datos(e).append({"name": "x", "type": "string"}),
        'data.x is new and has no default .*"type": \\["null", "string"\\], "default": null',
    ),
    "a renamed field": (
        lambda e: campo(e, "cantidad").update(name="unidades"),
        "data.cantidad was renamed to unidades, it seems .*keep cantidad",
    ),
    "a renamed field with an alias": (
        lambda e: campo(e, "cantidad").update(name="unidades", aliases=["cantidad"]),
        "data.cantidad was renamed to unidades, it seems",
    ),
    "another type": (lambda e: campo(e, "cantidad").update(type="string"), 'data.cantidad\'s type was "int" and is'),
    "a wider type": (lambda e: campo(e, "cantidad").update(type="long"), "data.cantidad's type"),
    "a type made optional": (
        lambda e: campo(e, "cantidad").update(type=["null", "int"], default=None),
        "data.cantidad's type",
    ),
    "an optional type made mandatory": (
        lambda e: campo(e, "instrucciones_entrega").update(type="string"),
        "data.instrucciones_entrega's type",
    ),
    "a nested record renamed": (
        lambda e: e["fields"][-1]["type"].update(name="Otra"),
        "data's record was CrearOrden and is Otra",
    ),
    "the record renamed": (lambda e: e.update(name="Otra"), "its name was monoliticas.ordenes.ComandoCrearOrden"),
    "a field of the envelope less": (lambda e: e["fields"].pop(1), "time is gone"),
    "a default less": (
        lambda e: campo(e, "instrucciones_entrega").pop("default"),
        "data.instrucciones_entrega's default, null, is gone",
    ),
}
ENGANOSOS: dict[str, tuple[Cambio, str]] = {
    "another logical type": (
        lambda e: campo(e, "time_stamp").update(type={"type": "long", "logicalType": "timestamp-micros"}),
        "data.time_stamp's type",
    ),
    "no logical type": (lambda e: campo(e, "time_stamp").update(type="long"), "data.time_stamp's type"),
    "bytes for text": (lambda e: campo(e, "user_id").update(type="bytes"), "data.user_id's type"),
    "another namespace": (lambda e: e.update(namespace="otra"), "its name was monoliticas.ordenes"),
}
"""What Avro lets pass, and the gate does not."""
