"""Who may do what: the scope that each operation asks for, and whose orders a caller sees."""

from typing import Final

from flask import Request
from werkzeug.exceptions import Forbidden

from bff.autenticacion import Autor
from bff.metricas import ruta
from bff.panel import ARCHIVOS

ALCANCES: Final = {
    "POST /orders": "ordenes:crear",
    "GET /orders": "ordenes:leer",
    "GET /orders/{id_orden}": "ordenes:leer",
    "GET /orders/{id_orden}/events": "ordenes:leer",
    "GET /orders/{id_orden}/saga": "ordenes:leer",
    "POST /productos": "productos:administrar",
    "GET /productos": "",
    "GET /productos/{id_producto}": "",
    "DELETE /productos/{id_producto}": "productos:administrar",
    "POST /conductores": "conductores:administrar",
    "GET /conductores/{id_conductor}": "conductores:administrar",
    "GET /metrics": "metricas:leer",
    "GET /panel/topics": "metricas:leer",
}
"""Of each operation; "": any caller who is known."""
ABIERTAS: Final = ("/health", "/ready", "/openapi.json", "/docs", *ARCHIVOS)
"""For everybody: the panel shows nothing that its reader could not ask for."""
TODAS: Final = "ordenes:administrar"
"""The scope of those who see and place everybody's orders."""


def es_abierta(peticion: Request) -> bool:
    return peticion.url_rule is None or peticion.method == "OPTIONS" or ruta(peticion) in ABIERTAS


def exigir(autor: Autor, peticion: Request) -> None:
    """Raises 403. What has no scope is for nobody."""
    metodo = "GET" if peticion.method == "HEAD" else peticion.method
    alcance = ALCANCES[f"{metodo} {ruta(peticion)}"]
    if alcance and not autor.puede(alcance):
        raise Forbidden(f"{metodo} {peticion.path} needs the scope {alcance}, which the token does not have")


def solo_de(autor: Autor | None) -> str | None:
    """The only user whose orders the caller sees and places; None for those of all."""
    return None if autor is None or autor.puede(TODAS) else autor.nombre


def exigir_propia(autor: Autor | None, user_id: str) -> None:
    """Raises 403 for an order that the caller places for somebody else."""
    if (unico := solo_de(autor)) is not None and user_id != unico:
        raise Forbidden(f"user_id is {user_id!r}: orders of others than {unico!r} need the scope {TODAS}")
