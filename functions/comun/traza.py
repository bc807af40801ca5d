"""One trace for a request and all messages that it leads to: W3C Trace Context, as the message property `traceparent`.

Each message is a span of its own, named by its id: a message that comes again is the same span.
"""

import re
import secrets
from typing import Final

from functions.comun.ids import Id
from functions.comun.inmutable import inmutable

PROPIEDAD: Final = "traceparent"
_FORMA: Final = re.compile(
    "(?:00(?!.{54})|(?!00|ff)[0-9a-f]{2})"  # of versions after 00 only the beginning is known
    "-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)


@inmutable
class Traza:
    """`id`: 32 hexadecimal digits; `marcas`: 2, whose last bit says that somebody records the trace."""

    id: str
    marcas: str = "00"


def nueva(marcas: str = "00") -> Traza:
    return Traza(secrets.token_hex(16), marcas)


def leer(traceparent: str | None) -> Traza | None:
    """None for what is no trace: that is no reason to refuse anything."""
    leida = _FORMA.fullmatch(traceparent or "")
    return Traza(leida[1], leida[3]) if leida else None


def padre(traceparent: str | None) -> int | None:
    """The span that it comes from."""
    leida = _FORMA.fullmatch(traceparent or "")
    return int(leida[2], 16) if leida else None


def span_de(id_mensaje: Id) -> str:
    """A message's own: the second half of its id."""
    return id_mensaje[19:23] + id_mensaje[24:]


def propiedades(traza: Traza | None, id_mensaje: Id) -> dict[str, str]:
    """A message's; none if it belongs to no trace."""
    return {} if traza is None else {PROPIEDAD: f"00-{traza.id}-{span_de(id_mensaje)}-{traza.marcas}"}
