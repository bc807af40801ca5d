"""Messages as JSON, for people: ids as text, times in ISO 8601, every field by its name. And back, with its schema."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from functions.comun.ids import leer

ENTEROS: Final = {"int": 2**31, "long": 2**63}


def a_json(valor: Any) -> Any:
    """What `fastavro` read, as JSON has it; `de_json` is the inverse."""
    match valor:
        case dict():
            return {clave: a_json(v) for clave, v in valor.items()}
        case list():
            return [a_json(v) for v in valor]
        case datetime():
            return valor.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return valor


def de_json(valor: Any, esquema: Any, ruta: str = "") -> Any:
    """The value that fastavro writes for `esquema`, the definition as the .avsc has it: what our messages use of Avro.

    Fields that are left out get their defaults. Raises ValueError, with a line for each thing that is wrong.
    """
    problemas: list[str] = []
    leido = _leer(valor, esquema, ruta, problemas)
    if problemas:
        raise ValueError("\n".join(problemas))
    return leido


def _leer(valor: Any, esquema: Any, ruta: str, problemas: list[str]) -> Any:
    if isinstance(esquema, list):  # always ["null", type]
        return None if valor is None else _leer(valor, esquema[1], ruta, problemas)
    if isinstance(esquema, dict) and esquema["type"] == "record":
        return _registro(valor, esquema, ruta, problemas)
    if isinstance(esquema, dict) and esquema["type"] == "array" and isinstance(valor, list):
        return [_leer(v, esquema["items"], f"{ruta}[{numero}]", problemas) for numero, v in enumerate(valor)]
    tipo = str(esquema.get("logicalType", esquema["type"]) if isinstance(esquema, dict) else esquema)
    try:
        return _simple(valor, tipo)
    except ValueError as error:
        problemas.append(f"{ruta or 'the message'} is {valor!r}: {error}")
        return None


def _registro(valor: Any, esquema: Any, ruta: str, problemas: list[str]) -> dict[str, Any]:
    campos = {campo["name"]: campo for campo in esquema["fields"]}
    if not isinstance(valor, Mapping):
        problemas.append(f"{ruta or 'the message'} is {valor!r}: it must be an object with {', '.join(campos)}")
        return {}
    for sobra in sorted(str(nombre) for nombre in valor if nombre not in campos):
        problemas.append(f"{_unir(ruta, sobra)}: there is no such field; there are {', '.join(campos)}")
    leido = {}
    for nombre, campo in campos.items():
        if nombre in valor:
            leido[nombre] = _leer(valor[nombre], campo["type"], _unir(ruta, nombre), problemas)
        elif "default" in campo:
            leido[nombre] = campo["default"]
        else:
            problemas.append(f"{_unir(ruta, nombre)} is missing: {campo['doc']}")
    return leido


def _simple(valor: Any, tipo: str) -> Any:
    match tipo:
        case "uuid":
            if not isinstance(valor, str):
                raise ValueError("it must be a UUID")
            return leer(valor)
        case "timestamp-millis":
            return _hora(valor)
        case "string" if isinstance(valor, str):
            valor.encode()  # a lone surrogate, which JSON can say, is a ValueError
            return valor
        case "boolean" if isinstance(valor, bool):
            return valor
        case "int" | "long" if isinstance(valor, int) and not isinstance(valor, bool):
            if not -ENTEROS[tipo] <= valor < ENTEROS[tipo]:
                raise ValueError(f"it must be from {-ENTEROS[tipo]} to {ENTEROS[tipo] - 1}")
            return valor
    raise ValueError(f"it must be of type {tipo}")


def _hora(valor: Any) -> datetime:
    if not isinstance(valor, str):
        raise ValueError("it must be a time such as 2026-11-24T07:00:00.000Z")
    hora = datetime.fromisoformat(valor)
    if hora.tzinfo is None:
        raise ValueError("it must name its time zone, such as Z")
    if hora.microsecond % 1000:
        raise ValueError("it must be in whole milliseconds")
    return hora.astimezone(UTC)


def _unir(ruta: str, nombre: str) -> str:
    return f"{ruta}.{nombre}" if ruta else nombre
