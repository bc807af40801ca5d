"""Who may do what: the scope that each operation asks for, and whose orders a caller sees."""

from functools import cache
from typing import Final

from flask import Request
from werkzeug.exceptions import Forbidden

from bff.access.tokens import Caller
from functions.messages.ids import Id

SCOPES: Final = {
    "POST /orders": "ordenes:crear",
    "GET /orders": "ordenes:leer",
    "GET /orders/{id_orden}": "ordenes:leer",
    "GET /orders/{id_orden}/events": "ordenes:leer",
    "GET /orders/{id_orden}/saga": "ordenes:leer",
    "POST /orders/{id_orden}/cancelacion": "ordenes:crear",
    "POST /orders/{id_orden}/despacho": "ordenes:administrar",
    "POST /orders/{id_orden}/entrega": "entregas:confirmar",
    "POST /orders/{id_orden}/devolucion": "ordenes:administrar",
    "POST /productos": "productos:administrar",
    "GET /productos": "",
    "GET /productos/{id_producto}": "",
    "DELETE /productos/{id_producto}": "productos:administrar",
    "PATCH /productos/{id_producto}": "productos:administrar",
    "POST /productos/{id_producto}/stock": "productos:administrar",
    "GET /productos/{id_producto}/movimientos": "",
    "POST /conductores": "conductores:administrar",
    "GET /conductores": "conductores:leer",
    "GET /conductores/{id_conductor}": "conductores:leer",
    "PATCH /conductores/{id_conductor}": "conductores:administrar",
    "DELETE /conductores/{id_conductor}": "conductores:administrar",
    "GET /metrics": "metricas:leer",
    "GET /panel/topics": "metricas:leer",
}
"""The scope of each operation; an empty one lets every caller with a valid token in."""
ALTERNATIVES: Final = {
    "GET /conductores": ("conductores:administrar",),
    "GET /conductores/{id_conductor}": ("conductores:administrar", "entregas:confirmar"),
}
"""Other scopes that let callers in as well; drivers, who have `entregas:confirmar`, see only themselves."""
PUBLIC_ROUTES: Final = ("/health", "/ready", "/openapi.json", "/docs")
"""The API's routes that need no token."""
ADMIN_SCOPE: Final = "ordenes:administrar"
"""The scope of those who see and place everybody's orders."""


def route(request: Request) -> str:
    """The request's route as the OpenAPI document writes it, such as /orders/{id_orden}; "unknown" if there is none."""
    return "unknown" if request.url_rule is None else _as_openapi(request.url_rule.rule)


@cache
def _as_openapi(rule: str) -> str:
    return rule.replace("<uuid:", "{").replace(">", "}")


def require(caller: Caller, request: Request) -> None:
    """Raises 403 if the caller lacks the operation's scope; KeyError for an operation that SCOPES does not name."""
    method = "GET" if request.method == "HEAD" else request.method
    operation = f"{method} {route(request)}"
    scope = SCOPES[operation]
    if scope and not _allows(caller, operation):
        raise Forbidden(f"{method} {request.path} needs the scope {scope}, which the token does not have")


def restricted_to(caller: Caller | None) -> str | None:
    """The only user whose orders the caller sees and places; None if that is every user.

    `caller` is None if the API asks for no tokens.
    """
    return None if caller is None or caller.has_scope(ADMIN_SCOPE) else caller.name


def _allows(caller: Caller, operation: str) -> bool:
    """Whether the caller has a scope that lets them in."""
    return any(map(caller.has_scope, (SCOPES[operation], *ALTERNATIVES.get(operation, ()))))


def may_see_conductor(caller: Caller | None, id_conductor: Id) -> bool:
    """Whether the caller may see this driver: whoever may list all drivers, and the driver."""
    return caller is None or _allows(caller, "GET /conductores") or caller.name == id_conductor


def require_own(caller: Caller | None, user_id: str) -> None:
    """Raises 403 if the caller may not place an order for this user."""
    only_user = restricted_to(caller)
    if only_user is not None and user_id != only_user:
        raise Forbidden(f"user_id is {user_id!r}: orders of others than {only_user!r} need the scope {ADMIN_SCOPE}")
