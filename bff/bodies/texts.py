"""Values as text, for formats that have no types or not all of ours."""

from datetime import UTC, datetime
from typing import Final

WHITESPACE: Final = " \t\r\n"
"""Characters that mean nothing around a text: in XML, and so in every format."""


class UntypedText(str):
    """A value of a format without types, such as XML or a query string: fields.integer reads it as a number."""

    __slots__ = ()


def to_text(value: object) -> str:
    """The text of a value that JSON has no form for: times in ISO 8601, UTC, with milliseconds; else TypeError."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} has no form in text: {value!r}")
