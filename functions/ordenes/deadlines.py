"""Deadlines of many orders in one message: a delayed message costs a broker much more than an id in one."""

from dataclasses import replace

from functions.engine.batch import Outputs
from functions.messages.payloads import ComandoVerificarOrden


def merge_deadlines(outputs: Outputs) -> Outputs:
    """The same outputs with one ComandoVerificarOrden, the last output of all, for all orders that have one."""
    deadlines = [output for group in outputs for output in group if isinstance(output, ComandoVerificarOrden)]
    if len(deadlines) < 2:
        return outputs
    merged = replace(deadlines[0], otras=[deadline.id_orden for deadline in deadlines[1:]])
    others = [[output for output in group if not isinstance(output, ComandoVerificarOrden)] for group in outputs]
    return [*others[:-1], [*others[-1], merged]]
