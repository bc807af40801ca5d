"""The fields of requests: what each may hold, how it is read, and its JSON Schema.

Longer than 200 lines: how values are read and which request has which fields are looked at together.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from bff.bodies.texts import WHITESPACE, UntypedText
from functions.messages.codec import values
from functions.messages.ids import Id, parse
from functions.messages.payloads import MAX_INT


@dataclass(frozen=True, slots=True)
class Field:
    """What a field may hold.

    Attributes:
      read: makes the field's value out of what the client sent, or out of None if it sent nothing. ValueError says what
        the client must change.
      schema: the same rule as JSON Schema, for the API's documentation.
      is_optional: whether the field may be left out.
    """

    read: Callable[[Any], Any]
    schema: Mapping[str, Any]
    is_optional: bool = False


_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,20}")
_LOST_PLUS: Final = re.compile(r"T.*\d \d\d:?\d*$", re.ASCII)
"""A time whose zone had a + that was not encoded: in a query string that is a blank."""
_CONTROL: Final = r"\x00-\x1f\x7f-\x9f"
_SPACE: Final = r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_PATTERN: Final = rf"^[ \t\r\n]*[^{_CONTROL}]*[^{_CONTROL}{_SPACE}][^{_CONTROL}]*[ \t\r\n]*$"
"""The rule for texts, apart from their length, as a regular expression for JSON Schema."""


class InvalidFields(Exception):
    """A request's fields are wrong. `errors` says for each wrong field, in the fields' order, what is wrong with it."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{field} {error}" for field, error in errors.items()))
        self.errors = errors


def validate(body: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """The fields' values; other members of the body are ignored. Raises InvalidFields, which names all wrong fields."""
    values = {}
    errors = {}
    for name, field in fields.items():
        try:
            values[name] = field.read(body.get(name))
        except ValueError as error:
            found = f"is {repr(body[name])[:80]}" if name in body else "is missing"
            errors[name] = f"{found}: {error}"
    if errors:
        raise InvalidFields(errors)
    return values


def _identifier(value: Any) -> Id:
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        raise ValueError(f"it must be a UUID, such as {EXAMPLE}")
    return parse(value)


def text(length: int) -> Field:
    """A field for text of 1 to `length` characters without control characters. Blanks around it are removed, and it
    gets the form NFC, so that what looks the same is the same; `length` counts afterwards.
    """

    def read(value: Any) -> str:
        clean = unicodedata.normalize("NFC", value.strip(WHITESPACE)) if isinstance(value, str) else ""
        if not 1 <= len(clean) <= length or clean.isspace():
            raise ValueError(f"it must be text of 1 to {length} characters")
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in clean):
            raise ValueError("it must not hold control characters or lone surrogates")
        return str(clean)

    return Field(read, {"type": "string", "minLength": 1, "maxLength": length, "pattern": _PATTERN})


def integer(minimum: int, maximum: int = MAX_INT) -> Field:
    """A field for a whole number in these limits.

    2.0 is one too: JSON Schema says so, and clients whose language has no integers write it.
    """

    def read(value: Any) -> int:
        if isinstance(value, UntypedText) and _INTEGER.fullmatch(value):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is not int or not minimum <= value <= maximum:
            raise ValueError(f"it must be a whole number from {minimum} to {maximum}")
        return value

    return Field(read, {"type": "integer", "minimum": minimum, "maximum": maximum})


def nonzero(field: Field) -> Field:
    """The same field for a whole number, which must not be 0."""

    def read(value: Any) -> int:
        number: int = field.read(value)
        if number == 0:
            raise ValueError("it must not be 0")
        return number

    return Field(read, {**field.schema, "not": {"const": 0}})


def _timestamp(value: Any) -> datetime:
    text = value.upper() if isinstance(value, str) else ""  # RFC 3339 allows a lower-case t and z
    if _LOST_PLUS.search(text):
        raise ValueError("its zone has a blank for a sign: in a URL write + as %2B, such as 07:00:00%2B05:00")
    if "T" in text:
        moment = datetime.fromisoformat(text)  # its ValueError has a text that clients understand
        if moment.tzinfo is not None:
            return to_utc(moment)
    raise ValueError("it must be a time with its zone, such as 2026-11-24T07:00:00Z")


def to_utc(moment: datetime) -> datetime:
    """The moment in UTC. ValueError if that is before year 1 or after 9999."""
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("in UTC it must be in the years 1 to 9999") from error


def one_of(values: Collection[str]) -> Field:
    """A field for one of these texts."""

    def read(value: Any) -> str:
        if value not in values:
            raise ValueError(f"it must be one of {', '.join(values)}")
        return str(value)

    return Field(read, {"type": "string", "enum": list(values)})


def example(value: Any, field: Field) -> Field:
    """The same field with an example in its schema."""
    return replace(field, schema={**field.schema, "examples": [value]})


def optional(field: Field) -> Field:
    """The same field, which may be left out or null: its value is None then."""
    return Field(lambda value: None if value is None else field.read(value), field.schema, is_optional=True)


EXAMPLE: Final = "6f1c1d4e-8a3b-4c5d-9e7f-0a1b2c3d4e5f"
IDENTIFIER: Final = Field(_identifier, {"type": "string", "format": "uuid", "examples": [EXAMPLE]})
TIMESTAMP: Final = Field(_timestamp, {"type": "string", "format": "date-time", "examples": ["2026-11-24T07:00:00Z"]})


@cache
def orden(max_cantidad: int) -> dict[str, Field]:
    """The fields of a new order, of at most `max_cantidad` units."""
    return {
        "id_producto": IDENTIFIER,
        "user_id": example("ana", text(255)),
        "cantidad": example(2, integer(1, max_cantidad)),
        "direccion_entrega": example("Calle 45 # 13-40", text(1000)),
        "instrucciones_entrega": optional(example("Timbre 2", text(1000))),
    }


PRODUCTO: Final[dict[str, Field]] = {
    "nombre": example("Café de Nariño, 500 g", text(255)),
    "stock": example(10, integer(0)),
}
NOMBRE: Final[dict[str, Field]] = {"nombre": example("Café del Huila", text(255))}
AJUSTE: Final[dict[str, Field]] = {
    "cantidad": example(5, nonzero(integer(-MAX_INT))),
    "motivo": example("Llegada del proveedor", text(1000)),
}
CONDUCTOR: Final[dict[str, Field]] = {"nombre": optional(example("Ana", text(255)))}
NOMBRE_CONDUCTOR: Final[dict[str, Field]] = {"nombre": example("Ana", text(255))}
CONDUCTORES: Final[dict[str, Field]] = {
    "estado": optional(one_of(values("conductores/evento-conductor", "estado", within="conductores")))
}
"""The filter of the list of drivers."""
CANCELACION: Final[dict[str, Field]] = {"motivo": optional(example("Ya no lo necesito", text(1000)))}
DESPACHO: Final[dict[str, Field]] = {}
ENTREGA: Final[dict[str, Field]] = {"recibido_por": optional(example("Ana", text(255)))}
DEVOLUCION: Final[dict[str, Field]] = {"motivo": example("Nadie en casa", text(1000))}
STREAM: Final[dict[str, Field]] = {"hasta": optional(one_of(("fin",)))}
"""Until when an order is followed; not said: until its saga ends."""
FILTERS: Final[dict[str, Field]] = {
    "estado": optional(one_of(values("ordenes/evento-orden", "estado"))),
    "user_id": optional(example("ana", text(255))),
    "id_producto": optional(IDENTIFIER),
    "desde": optional(TIMESTAMP),
    "hasta": optional(TIMESTAMP),
}
"""The filters of the list of orders. `desde` and `hasta` limit time_stamp: desde ≤ time_stamp < hasta."""
