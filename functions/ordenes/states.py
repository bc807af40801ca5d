"""The states of an order, and what may become of it in each. Pure.

creada ──► iniciada ──► despachada ──► entregada
  │           │              └───────► devuelta     not delivered
  ├───────────┴──────────────────────► cancelada
  └──────────────────────────────────► fallida

iniciada: a driver was assigned. An order that comes to devuelta, cancelada or fallida gives its stock and its driver
back; `motivo` says why. Every time is one of the clock of the database `ordenes`.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from functions.messages.payloads import EventoOrden

CREADA: Final = "creada"
INICIADA: Final = "iniciada"
DESPACHADA: Final = "despachada"
ENTREGADA: Final = "entregada"
DEVUELTA: Final = "devuelta"
CANCELADA: Final = "cancelada"
FALLIDA: Final = "fallida"
TRANSITIONS: Final = {
    CREADA: (INICIADA, CANCELADA, FALLIDA),
    INICIADA: (DESPACHADA, CANCELADA),
    DESPACHADA: (ENTREGADA, DEVUELTA),
    ENTREGADA: (),
    DEVUELTA: (),
    CANCELADA: (),
    FALLIDA: (),
}
"""What may become of an order in each state. Clients read it in the schema of `ordenes/evento-orden`."""
_TIMES: Final = {INICIADA: "iniciada_en", DESPACHADA: "despachada_en"}
"""The field that says when an order came into a state; `finalizada_en` for every last one."""

Orden = EventoOrden
"""An order's whole state, as its domain event carries it."""


def move(orden: Orden, estado: str, now: datetime, **changes: object) -> Orden | None:
    """The order in another state, with these changes; None if it can't come there from where it is."""
    if estado not in TRANSITIONS[orden.estado]:
        return None
    changes[_TIMES.get(estado, "finalizada_en")] = now
    return replace(orden, estado=estado, version=orden.version + 1, **changes)  # type: ignore[arg-type]
