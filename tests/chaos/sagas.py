"""The commands that lead to each end of an order."""

from collections import Counter
from collections.abc import Mapping
from typing import Final

CREAR, DISMINUIR, ASIGNAR = "comando-crear-orden", "comando-disminuir-stock", "comando-asignar-conductor"
MARCAR, REVERTIR_STOCK = "comando-marcar-listo-despacho", "comando-revertir-disminuir-stock"
REVERTIR_ORDEN = "comando-revertir-orden-creada"
INICIADA: Final = {CREAR, DISMINUIR, ASIGNAR, MARCAR}
FALLIDA: Final = {
    "stock insuficiente": {CREAR, DISMINUIR, REVERTIR_ORDEN},
    "producto desconocido": {CREAR, DISMINUIR, REVERTIR_ORDEN},
    "producto eliminado": {CREAR, DISMINUIR, REVERTIR_ORDEN},
    "sin conductor libre": {CREAR, DISMINUIR, ASIGNAR, REVERTIR_STOCK, REVERTIR_ORDEN},
}
DESPACHAR, ENTREGAR, DEVOLVER = "comando-despachar-orden", "comando-entregar-orden", "comando-devolver-orden"
CANCELAR, COMPLETAR, LIBERAR = "comando-cancelar-orden", "comando-completar-asignacion", "comando-liberar-conductor"
UNDONE: Final = {LIBERAR, REVERTIR_STOCK, REVERTIR_ORDEN}
AFTER: Final = {
    "despachada": {*INICIADA, DESPACHAR},
    "entregada": {*INICIADA, DESPACHAR, ENTREGAR, COMPLETAR},
    "devuelta": {*INICIADA, DESPACHAR, DEVOLVER, *UNDONE},
    "cancelada": {CREAR, CANCELAR, *UNDONE},
}
"""The steps of an order that somebody has changed. There may be more: what was refused, or came too late."""
COMANDOS: Final = {*INICIADA, REVERTIR_STOCK, REVERTIR_ORDEN}


def is_complete(estado: str, motivo: str | None, log: Mapping[str, int]) -> bool:
    """Whether a saga log, how often it holds each command, is that of an order which ended so. Commands that are
    none of these don't count; of an end that is not known here, as a watchdog makes, only the beginning and end do."""
    if estado in AFTER:
        return log.keys() >= AFTER[estado] and log[CREAR] == 1
    steps = Counter({evento: count for evento, count in log.items() if evento in COMANDOS})
    exact_steps = INICIADA if estado == "iniciada" else FALLIDA.get(motivo or "")
    return {CREAR, REVERTIR_ORDEN} <= steps.keys() if exact_steps is None else steps == Counter(exact_steps)
