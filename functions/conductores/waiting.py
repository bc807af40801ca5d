"""Orders that wait for a driver: free drivers serve them, the oldest first.

Whoever lets orders wait or changes drivers takes the same lock first (`begin`). Otherwise one transaction could let an
order wait while another one, which does not see it yet, leaves a driver free.
"""

from typing import Any, Final

from functions.conductores import decisions, tables
from functions.conductores.states import Changes
from functions.engine.batch import Outputs, add_to_last
from functions.messages.payloads import Payload
from functions.postgres.clock import now

MAX_ORDENES: Final = 500
"""Waiting orders that are read at once, at most."""


def begin(tx: Any) -> Changes:
    """Takes the lock; returns where the transaction notes which drivers it changes."""
    tables.lock(tx)
    return Changes(now(tx))


def finish(tx: Any, outputs: Outputs, changes: Changes) -> Outputs:
    """The same outputs, with what follows from serving those that wait, and with what tells of all changed drivers."""
    served = serve(tx, changes)
    return add_to_last(outputs, [*served, *changes.events()])


def serve(tx: Any, changes: Changes) -> list[Payload]:
    """Gives free drivers to the orders that wait, as far as there are both; returns what follows. The lock is held.
    Who was taken is noted in `changes`.
    """
    outputs: list[Payload] = []
    while esperas := tables.esperas(tx, MAX_ORDENES):
        libres = tables.libres(tx, len(esperas))
        if not libres:
            break
        pairs = list(zip(esperas, libres, strict=False))
        given = [decisions.give(libre.id_conductor, espera) for espera, libre in pairs]
        tables.end_waits(tx, [asignacion for asignacion, _ in given], changes.moment)
        for espera, libre in pairs:
            changes.take(libre, espera.id_orden)
        outputs += [output for _, following in given for output in following]
    return outputs
