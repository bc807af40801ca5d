"""What has changed between two versions of a schema that must not, field by field, and how to do it right."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

Definicion = Mapping[str, Any]
Cambio = tuple[str, str]
"""What has changed; what to do instead."""
_NINGUNO: Final = object()


def diferencias(actual: Definicion, antes: Definicion) -> Iterator[Cambio]:
    """What has changed that must not, field by field."""
    if actual["name"] != antes["name"] or actual.get("namespace") != antes.get("namespace"):
        yield f"its name was {_nombre(antes)} and is {_nombre(actual)}", "restore the name: the topic is the same"
    yield from _campos(actual["fields"], antes["fields"], "")


def _campos(actuales: Sequence[Any], antes: Sequence[Any], ruta: str) -> Iterator[Cambio]:
    nuevos, viejos = ({campo["name"]: campo for campo in campos} for campos in (actuales, antes))
    agregados = {nombre: campo for nombre, campo in nuevos.items() if nombre not in viejos}
    for nombre, viejo in viejos.items():
        if nombre in nuevos:
            yield from _campo(nuevos[nombre], viejo, ruta + nombre)
        elif "default" not in viejo:
            otro = next((otro for otro, campo in agregados.items() if campo["type"] == viejo["type"]), None)
            if otro is None:
                yield f"{ruta}{nombre} is gone, and it has no default", f"restore {nombre}"
            else:
                del agregados[otro]
                que = f"{ruta}{nombre} was renamed to {otro}, it seems"
                yield que, f"keep {nombre}; where both are needed, add {otro} beside it: {_optativo(viejo['type'])}"
    for nombre, nuevo in agregados.items():
        if "default" not in nuevo:
            yield f"{ruta}{nombre} is new and has no default", f"make it optional: {_optativo(nuevo['type'])}"


def _campo(nuevo: Any, viejo: Any, ruta: str) -> Iterator[Cambio]:
    if _es_registro(nuevo["type"]) and _es_registro(viejo["type"]):
        if nuevo["type"]["name"] != viejo["type"]["name"]:
            yield f"{ruta}'s record was {viejo['type']['name']} and is {nuevo['type']['name']}", "restore its name"
        yield from _campos(nuevo["type"]["fields"], viejo["type"]["fields"], f"{ruta}.")
    elif nuevo["type"] != viejo["type"]:
        que = f"{ruta}'s type was {json.dumps(viejo['type'])} and is {json.dumps(nuevo['type'])}"
        yield que, f"keep it, and add a field with another name for the new type, optional, beside {ruta}"
    if (tenia := viejo.get("default", _NINGUNO)) != (tiene := nuevo.get("default", _NINGUNO)):
        if tiene is _NINGUNO:
            yield f"{ruta}'s default, {json.dumps(tenia)}, is gone", "restore it: messages without the field need it"
        elif tenia is not _NINGUNO:
            que = f"{ruta}'s default was {json.dumps(tenia)} and is {json.dumps(tiene)}"
            yield que, "restore it: messages without the field would change their meaning"


def _optativo(tipo: Any) -> str:
    return f'"type": ["null", {json.dumps(tipo)}], "default": null'


def _es_registro(tipo: Any) -> bool:
    return isinstance(tipo, dict) and tipo["type"] == "record"


def _nombre(definicion: Definicion) -> str:
    return f"{definicion.get('namespace')}.{definicion['name']}"
