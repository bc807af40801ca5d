"""Orders that wait for a driver: free drivers serve them, the oldest first.

Whoever lets orders wait or frees drivers takes the same lock first (`tables.lock`). Otherwise one transaction could let
an order wait while another one, which does not see it yet, leaves a driver free.
"""

from typing import Any, Final

from functions.conductores import decisions, tables
from functions.messages.payloads import Payload

MAX_ORDENES: Final = 500
"""Waiting orders that are read at once, at most."""


def serve(tx: Any) -> list[Payload]:
    """Gives free drivers to the orders that wait, as far as there are both; returns what follows. The lock is held."""
    outputs: list[Payload] = []
    while esperas := tables.esperas(tx, MAX_ORDENES):
        libres = tables.libres(tx, len(esperas))
        if not libres:
            break
        given = [decisions.give(libre, espera) for espera, libre in zip(esperas, libres, strict=False)]
        tables.end_waits(tx, [asignacion for asignacion, _ in given])
        outputs += [output for _, following in given for output in following]
    return outputs
