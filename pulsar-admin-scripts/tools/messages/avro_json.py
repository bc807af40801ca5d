"""Messages as JSON, for people: ids as text, times in ISO 8601, every field by its name. And back, with its schema."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from functions.messages.ids import parse

INTEGER_LIMITS: Final = {"int": 2**31, "long": 2**63}
"""The first number above each of Avro's types of integers."""


def to_json(value: Any) -> Any:
    """A value that fastavro read, as JSON has it: a time in ISO 8601, in UTC. `from_json` is the inverse."""
    match value:
        case dict():
            return {key: to_json(v) for key, v in value.items()}
        case list():
            return [to_json(v) for v in value]
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return value


def from_json(value: Any, schema: Any, path: str = "") -> Any:
    """The value that fastavro writes for `schema`, the definition as the .avsc has it.

    Knows what our messages use of Avro, not all of it. Fields that are left out get their defaults. `path`: where in
    the message the value is, for errors. Raises ValueError, with a line for each thing that is wrong.
    """
    problems: list[str] = []
    parsed = _read(value, schema, path, problems)
    if problems:
        raise ValueError("\n".join(problems))
    return parsed


def _read(value: Any, schema: Any, path: str, problems: list[str]) -> Any:
    """The value; None if it is wrong, which is added to `problems`."""
    if isinstance(schema, list):  # the only unions in our schemas are ["null", type]
        return None if value is None else _read(value, schema[1], path, problems)
    if isinstance(schema, dict) and schema["type"] == "record":
        return _record(value, schema, path, problems)
    if isinstance(schema, dict) and schema["type"] == "array" and isinstance(value, list):
        return [_read(v, schema["items"], f"{path}[{number}]", problems) for number, v in enumerate(value)]
    avro_type = str(schema.get("logicalType", schema["type"]) if isinstance(schema, dict) else schema)
    try:
        return _simple(value, avro_type)
    except ValueError as error:
        problems.append(f"{path or 'the message'} is {value!r}: {error}")
        return None


def _record(value: Any, schema: Any, path: str, problems: list[str]) -> dict[str, Any]:
    fields = {field["name"]: field for field in schema["fields"]}
    if not isinstance(value, Mapping):
        problems.append(f"{path or 'the message'} is {value!r}: it must be an object with {', '.join(fields)}")
        return {}
    for unknown in sorted(str(name) for name in value if name not in fields):
        problems.append(f"{_join(path, unknown)}: there is no such field; there are {', '.join(fields)}")
    parsed = {}
    for name, field in fields.items():
        if name in value:
            parsed[name] = _read(value[name], field["type"], _join(path, name), problems)
        elif "default" in field:
            parsed[name] = field["default"]
        else:
            problems.append(f"{_join(path, name)} is missing: {field['doc']}")
    return parsed


def _simple(value: Any, avro_type: str) -> Any:
    match avro_type:
        case "uuid":
            if not isinstance(value, str):
                raise ValueError("it must be a UUID")
            return parse(value)
        case "timestamp-millis":
            return _timestamp(value)
        case "string" if isinstance(value, str):
            value.encode()  # ValueError for a lone surrogate, which JSON can express and Avro can't
            return value
        case "boolean" if isinstance(value, bool):
            return value
        case "int" | "long" if isinstance(value, int) and not isinstance(value, bool):
            if not -INTEGER_LIMITS[avro_type] <= value < INTEGER_LIMITS[avro_type]:
                raise ValueError(f"it must be from {-INTEGER_LIMITS[avro_type]} to {INTEGER_LIMITS[avro_type] - 1}")
            return value
    raise ValueError(f"it must be of type {avro_type}")


def _timestamp(value: Any) -> datetime:
    if not isinstance(value, str):
        raise ValueError("it must be a time such as 2026-11-24T07:00:00.000Z")
    timestamp = datetime.fromisoformat(value)
    if timestamp.tzinfo is None:
        raise ValueError("it must name its time zone, such as Z")
    if timestamp.microsecond % 1000:
        raise ValueError("it must be in whole milliseconds")
    return timestamp.astimezone(UTC)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
