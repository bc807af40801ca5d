"""Rows as one PostgreSQL array for each column, for `unnest`."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final


def to_array(values: Sequence[Any]) -> str:
    """A one-dimensional array as PostgreSQL reads it from text. pg8000's own looks at each character of each
    element.
    """
    return f"{{{','.join([_ELEMENT_WRITERS[type(value)](value) for value in values])}}}"


_ELEMENT_WRITERS: Final[dict[type, Callable[[Any], str]]] = {
    type(None): lambda _: "NULL",
    int: str,
    bool: str,
    str: lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"',
    bytes: lambda raw: f'"\\\\x{raw.hex()}"',
    datetime: lambda moment: f'"{moment.isoformat()}"',
}


def columns(rows: Sequence[object], *fields: str) -> dict[str, list[Any]]:
    """The rows by column: one list for each of the fields, to be bound as the arrays of an `unnest`."""
    return {field: [getattr(row, field) for row in rows] for field in fields}
