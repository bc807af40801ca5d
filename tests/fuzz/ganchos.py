"""What schemathesis can't read in the document; it loads this as SCHEMATHESIS_HOOKS."""

import re
from collections.abc import Iterator
from datetime import UTC
from functools import partial
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urljoin
from urllib.request import urlopen
from uuid import uuid4

import schemathesis
from hypothesis import strategies as st
from schemathesis import HookContext, Response

from bff.formatos import BLANCOS
from bff.paginas import cursor
from tests.plataforma import esperar

CLAVE: Final = "Idempotency-Key"
_CLAVE: Final = re.compile('"?[!#-~]{1,255}"?')
_ENTERO: Final = re.compile(r"[+-]?[0-9]{1,20}")
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# cursors come from the header Link, which no OpenAPI link can take apart
schemathesis.openapi.format(
    "cursor", st.builds(lambda *lugar: cursor(lugar), st.datetimes(timezones=st.just(UTC)), st.uuids())
)


@schemathesis.hook
def before_call(_contexto: HookContext, caso: Any, _opciones: dict[str, Any]) -> None:
    """Makes of a case what its bytes will say: schemathesis then decides again whether that is valid."""
    if (caso.media_type or "").endswith("/xml"):
        caso.body = como_xml(caso.body, _enteros(caso))
    elif isinstance(caso.body, dict):
        caso.body = {nombre: _sin_blancos(valor) for nombre, valor in caso.body.items()}
    clave = (caso.headers or {}).get(CLAVE)
    if isinstance(clave, str) and _CLAVE.fullmatch(clave):
        # one that was used is 422 for another body, and makes nothing again of what was deleted meanwhile
        caso.headers[CLAVE] = clave.strip('"')[:-36] + str(uuid4())


@schemathesis.hook
def after_call(_contexto: HookContext, caso: Any, respuesta: Response) -> None:
    """202 promises what can be read a moment later: the next request of a sequence comes when it can."""
    if respuesta.status_code == 202 and _en_secuencia(caso) and "conductores" not in caso.path:
        (ubicacion,) = respuesta.headers["location"]
        rutas = (ubicacion, f"{ubicacion}/saga") if "orders" in ubicacion else (ubicacion,)
        estado = 404 if caso.method == "DELETE" else 200
        for ruta in rutas:
            url = urljoin(str(respuesta.request.url), ruta)
            esperar(f"{estado} for {ruta}", partial(_es, estado, url))


def _en_secuencia(caso: Any) -> bool:
    return caso.meta is not None and caso.meta.phase.name.value == "stateful"


def _es(estado: int, url: str) -> bool:
    try:
        with urlopen(url) as respuesta:
            return bool(respuesta.status == estado)
    except HTTPError as error:
        return error.code == estado


def _enteros(caso: Any) -> set[str]:
    """Of the fields, those that are numbers."""
    esquema = caso.operation.definition.raw["requestBody"]["content"][caso.media_type]["schema"]
    return {nombre for nombre, campo in esquema["properties"].items() if campo.get("type") == "integer"}


def como_xml(cuerpo: Any, enteros: set[str]) -> Any:
    """In XML all values are text, a list of one is that one, an empty one is nothing."""
    hijos = list(_aplanados(cuerpo))
    if len(hijos) != 1 or not isinstance(hijos[0], dict):
        return {} if hijos == [""] else cuerpo
    leido: dict[str, Any] = {}
    for nombre, valor in hijos[0].items():
        match list(_aplanados(valor)):
            case [uno]:
                leido[nombre] = _como_texto(uno, nombre in enteros)
            case varios if varios:
                leido[nombre] = varios
    return leido


def _aplanados(valor: Any) -> Iterator[Any]:
    if isinstance(valor, list):
        for uno in valor:
            yield from _aplanados(uno)
    else:
        yield valor


def _como_texto(valor: Any, es_entero: bool) -> Any:
    if isinstance(valor, dict):
        return valor if any(True for miembro in valor.values() for _ in _aplanados(miembro)) else ""
    if isinstance(valor, float) and valor.is_integer():
        valor = int(valor)
    texto = (
        {None: "null", True: "true", False: "false"}.get(valor, str(valor)) if type(valor) is not int else str(valor)
    )
    texto = _NO_XML.sub("", texto).strip(BLANCOS)
    return int(texto) if es_entero and _ENTERO.fullmatch(texto) else texto


def _sin_blancos(valor: Any) -> Any:
    """Blanks around a text don't count for its length, which no JSON Schema can say."""
    return valor.strip(BLANCOS) if isinstance(valor, str) and len(valor) > 255 else valor
