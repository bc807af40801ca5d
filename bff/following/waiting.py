"""Waiting for what a command leads to: `Prefer: wait=N` (RFC 7240); which states of an order are the end of it."""

import re
from typing import Final, TypeGuard

from flask import Request

from bff.backends.read_models import Row
from functions.messages.codec import next_values

LONGEST_WAIT: Final = 10
"""Longest wait in seconds, whatever the client prefers."""
NEXT: Final = next_values("ordenes/evento-orden", "estado")
"""What may become of an order in each state."""
_WAIT: Final = re.compile(r'wait\s*=\s*"?([0-9]{1,9})"?', re.ASCII | re.IGNORECASE)


def preferred_wait(request: Request) -> int:
    """The seconds that the client prefers to wait, at most LONGEST_WAIT; 0 if the header Prefer does not say."""
    for preference in request.headers.get("Prefer", "").split(","):
        if match := _WAIT.fullmatch(preference.partition(";")[0].strip()):
            return min(int(match[1]), LONGEST_WAIT)
    return 0


def has_reached(orden: Row, estado: str) -> bool:
    """Whether the order is in the state, or was: only `despachada` can be left again by somebody's request."""
    return bool(orden["estado"] == estado or (estado == "despachada" and orden["despachada_en"] is not None))


def may_reach(orden: Row, estado: str) -> bool:
    """Whether the order may come to the state from where it is."""
    return estado in NEXT[orden["estado"]]


def is_final(orden: Row | None) -> TypeGuard[Row]:
    """Whether there is an order and it is in its last state."""
    return orden is not None and not NEXT[orden["estado"]]


def has_ended(orden: Row | None) -> TypeGuard[Row]:
    """Whether there is an order and its saga is over, well or not."""
    return orden is not None and orden["estado"] != "creada"
