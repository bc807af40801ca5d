"""When orders are checked and given up; checks of many orders in one message; how few commands are sent again.

A delayed message costs a broker much more than an id in one, and a copy of a command that still waits helps nobody.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from functions.engine.batch import Outputs, add_to_last
from functions.messages.frozen import frozen
from functions.messages.payloads import ComandoDisminuirStock, ComandoVerificarOrden, EventoOrden, Payload

MAX_ORDENES: Final = 500
"""Orders that are checked with one message, at most."""


@frozen
class Plazos:
    """When orders that have not ended are checked, and until when they are to be fulfilled.

    `waits`: seconds before the first check and between the checks, the last one again and again. `give_up`: seconds
    after its creation at which an order is given up; never while `suspendidos`.
    """

    waits: tuple[float, ...]
    give_up: float
    suspendidos: bool = False

    def wait(self, number: int) -> timedelta:
        """The wait before the check `number`, from 1."""
        return timedelta(seconds=self.waits[min(number, len(self.waits)) - 1])

    def end(self, orden: EventoOrden) -> datetime:
        """When the order is given up."""
        assert orden.creada_en is not None  # the table says it for every order
        return orden.creada_en.astimezone(UTC) + timedelta(seconds=self.give_up)

    def is_over(self, orden: EventoOrden, now: datetime) -> bool:
        """True if the order is to be given up."""
        return not self.suspendidos and now >= self.end(orden)

    def due(self, orden: EventoOrden, number: int, now: datetime) -> datetime:
        """When the order's check `number` is due, if the one before is now: in time for giving up."""
        due = now + self.wait(number)
        return due if self.suspendidos else min(due, self.end(orden))

    def vence(self, orden: EventoOrden, number: int, now: datetime) -> datetime:
        """Until when what is asked for now, before the check `number`, is wanted: until the order is given up; if that
        is suspended, at least until something else is asked for, in whole times of `give_up`: what has another limit
        is another message, and few are enough.
        """
        end = self.end(orden)
        if self.suspendidos and (missing := now + 2 * self.wait(number) - end) > timedelta():
            end += math.ceil(missing / timedelta(seconds=self.give_up)) * timedelta(seconds=self.give_up)
        return end


def plazos(config: Mapping[str, Any], suspendidos: bool = False) -> Plazos:
    """The deadlines that a function's userConfig says: DEMORAS, the waits before each check, and PLAZO, both in
    seconds. `suspendidos`: an operator has suspended giving up.
    """
    return Plazos(tuple(config["DEMORAS"][ComandoVerificarOrden.topic]), config["PLAZO"], suspendidos)


def merge_checks(outputs: Outputs) -> Outputs:
    """The same outputs, with orders that are to be checked for the same time in one message, the last output of all;
    it is due when the first of them is. What was pushed on now is named last: another order's turn is next.
    """
    by_number: dict[int, list[tuple[bool, ComandoVerificarOrden]]] = {}  # each with whether it was pushed on now
    for group in outputs:
        for check in filter(_is_scheduled, group):
            assert isinstance(check, ComandoVerificarOrden)
            by_number.setdefault(check.intento, []).append((len(group) > 1, check))
    merged: list[Payload] = []
    for checks_and_pushes in by_number.values():
        checks = [check for _, check in sorted(checks_and_pushes, key=lambda item: item[0])]
        merged += [_merged(checks[i : i + MAX_ORDENES]) for i in range(0, len(checks), MAX_ORDENES)]
    if not merged:
        return outputs
    return add_to_last([[output for output in group if not _is_scheduled(output)] for group in outputs], merged)


def _is_scheduled(output: Payload) -> bool:
    return isinstance(output, ComandoVerificarOrden) and output.programado is not None


def _merged(checks: list[ComandoVerificarOrden]) -> ComandoVerificarOrden:
    first, *others = checks
    due = min(check.programado for check in checks if check.programado)
    return replace(first, otras=[check.id_orden for check in others] or None, programado=due)


def push_sparingly(outputs: Outputs) -> Outputs:
    """The same outputs of checked orders, one list each, with only the first request for stock if none of the orders
    has ended, which leaves an empty list: then a context that all of them need is unavailable or busy, their commands
    still wait there, and copies would only make what waits longer.
    """
    if not all(outputs):
        return outputs
    is_request = [isinstance(group[0], ComandoDisminuirStock) for group in outputs]
    pushed = is_request.index(True) if any(is_request) else -1
    return [group[1:] if is_request[index] and index != pushed else group for index, group in enumerate(outputs)]
