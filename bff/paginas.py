"""Lists in pages: each row has a place in the order, and a cursor names the place where the next page begins."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from bff.validacion import Campo, en_utc, entero, opcional
from functions.comun.ids import Id, leer

MAX_FILAS: Final = 1000
"""Rows of a page."""
Lugar = tuple[datetime, Id]
"""A row's place: its time, and its id among those of the same time."""


def cursor(lugar: Lugar) -> str:
    return urlsafe_b64encode(f"{lugar[0].isoformat()} {lugar[1]}".encode()).decode().rstrip("=")


def lugar(texto: Any) -> Lugar:
    """The inverse of `cursor`."""
    try:
        crudo = urlsafe_b64decode(f"{texto}{'=' * (-len(texto) % 4)}".encode("ascii")).decode("ascii")
        momento, _, identidad = crudo.rpartition(" ")
        leido = datetime.fromisoformat(momento), leer(identidad)
        if leido[0].tzinfo is None or cursor(leido) != texto:
            raise ValueError
        en_utc(leido[0])
    except (ValueError, Error) as error:
        raise ValueError("it must be taken from a Link header: begin again without it") from error
    return leido


PAGINA: Final = {
    "limit": entero(1, MAX_FILAS),
    "cursor": opcional(Campo(lugar, {"type": "string", "format": "cursor", "description": "From the header Link."})),
}
"""How each list can be asked for."""


def enlaces(ruta: str, pedido: MultiDict[str, str], siguiente: Lugar | None) -> dict[str, str]:
    """The header Link (RFC 8288): the first page, and the next one if there is more."""
    sin_cursor = {nombre: valor for nombre, valor in pedido.items() if nombre != "cursor"}
    paginas: Mapping[str, dict[str, str]] = {"first": sin_cursor}
    if siguiente is not None:
        paginas = {**paginas, "next": sin_cursor | {"cursor": cursor(siguiente)}}
    return {"Link": ", ".join(f'<{_url(ruta, campos)}>; rel="{rel}"' for rel, campos in paginas.items())}


def _url(ruta: str, campos: Mapping[str, str]) -> str:
    return f"{ruta}?{urlencode(campos)}" if campos else ruta
