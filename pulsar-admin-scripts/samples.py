"""A message of any schema with sensible values: each field's `x-example`; ids and times of its own."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID, uuid4

from functions.comun.codec import codec, payload
from functions.comun.ids import Id


def muestra(topic: str, datos: Mapping[str, Any] | None = None, azar: Random | None = None) -> dict[str, Any]:
    """An envelope with its payload, as fastavro writes it, of the topic's schema. `datos`: payload fields to take
    as they are; `azar`: where ids come from, for those who want the same ones each time; the time is then fixed too.
    """
    return de_esquema(topic, codec(topic).definicion, datos, azar)


def de_esquema(
    topic: str, definicion: Mapping[str, Any], datos: Mapping[str, Any] | None = None, azar: Random | None = None
) -> dict[str, Any]:
    """The same for any version of the topic's schema."""
    ms = 1_795_500_000_000 if azar else time.time_ns() // 1_000_000
    valores = {campo["name"]: _valor(campo, azar, ms) for campo in payload(definicion)}
    return {
        "id": _uuid(azar),
        "time": ms,
        "ingestion": ms,
        "specversion": definicion["version"],
        "type": topic.partition("/")[2],
        "datacontenttype": "application/avro",
        "service_name": "tester",
        "data": valores | {nombre: valor for nombre, valor in (datos or {}).items() if nombre in valores},
    }


def _valor(campo: Mapping[str, Any], azar: Random | None, ms: int) -> Any:
    if "x-example" in campo:
        return campo["x-example"]
    tipo = campo["type"][1] if isinstance(campo["type"], list) else campo["type"]
    match tipo:
        case {"logicalType": "uuid"}:
            return _uuid(azar)
        case {"type": "array"}:
            return [_valor({"name": campo["name"], "type": tipo["items"]}, azar, ms)]
        case {"logicalType": "timestamp-millis"}:
            return datetime.fromtimestamp(ms / 1000, UTC)
    return {"string": campo["name"], "boolean": False}.get(tipo, 1)


def _uuid(azar: Random | None) -> Id:
    return Id(str(UUID(int=azar.getrandbits(128), version=4) if azar else uuid4()))
