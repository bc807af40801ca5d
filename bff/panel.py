"""The panel: a page that shows the topology with its figures, orders as they go, and those that failed."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, request

from bff import formatos
from bff.cifras import Cifras
from bff.formatos import PREFERIDO
from functions.comun.cluster.admin_rest import Api

_ESTATICOS: Final = Path(__file__).with_name("static")
_TIPOS: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
ARCHIVOS: Final = {"/panel": _ESTATICOS / "panel.html"} | {
    f"/panel/{ruta.name}": ruta
    for ruta in sorted(_ESTATICOS.iterdir())
    if ruta.suffix in _TIPOS and ruta.suffix != ".html"
}
"""The page and what it needs, by path."""
_POLITICA: Final = "; ".join(
    (
        *("default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self'"),
        *("base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"),
    )
)


def crear(admin: Api | None) -> Blueprint:
    """The routes. `admin`: the brokers' admin API; None shows the topology without figures."""
    panel, cifras = Blueprint("panel", __name__), Cifras(admin, _topics())
    for ruta in ARCHIVOS:
        panel.add_url_rule(ruta, "ver_archivo", ver_archivo)
    panel.add_url_rule("/panel/topics", "ver_topics", lambda: formatos.respuesta(cifras.ver(), PREFERIDO))
    return panel


def ver_archivo() -> Response:
    archivo = ARCHIVOS[str(request.url_rule)]
    salida = Response(_leer(archivo), mimetype=_TIPOS[archivo.suffix])
    if archivo.suffix == ".html":
        salida.headers["Content-Security-Policy"] = _POLITICA
    return salida


@cache
def _leer(archivo: Path) -> bytes:
    return archivo.read_bytes()


def _topics() -> list[str]:
    """Those that functions read, and their dead letters."""
    topologia: Any = json.loads(_leer(_ESTATICOS / "topologia.json"))
    funciones = topologia["funciones"]
    leidos = {topic for funcion in funciones for topic in funcion["recibe"]}
    return [*sorted(leidos), *(funcion["cartas"] for funcion in funciones)]
