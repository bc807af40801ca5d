"""conductores/comando-asignar-conductor → ordenes/comando-marcar-listo-despacho;
or, refused, productos/comando-revertir-disminuir-stock.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from functions.conductores import decisions, tables
from functions.conductores.decisions import Asignacion
from functions.engine.batch import Outputs, Store, decide
from functions.engine.function import Function
from functions.messages.envelope import Message, has_expired
from functions.messages.ids import Id
from functions.messages.payloads import ComandoAsignarConductor, Payload
from functions.postgres.clock import now


class AsignarConductor(Function):
    """Gives orders a free driver each; or refuses, and the order is compensated."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoAsignarConductor]]) -> Outputs:
        return _asignar(tx, batch, tables.ASIGNACIONES)

    def handle_new(self, tx: Any, batch: Sequence[Message[ComandoAsignarConductor]]) -> Outputs:
        return _asignar(tx, batch, tables.ASIGNACIONES.assumed_empty())


def _asignar(tx: Any, batch: Sequence[Message[ComandoAsignarConductor]], asignaciones: Store[Asignacion]) -> Outputs:
    """Locks as many free drivers as there are orders without an assignment, once these are loaded."""
    moment = now(tx)
    libres: Iterator[Id] = iter(())

    def load(tx: Any, ids_orden: Sequence[Id]) -> dict[Id, Asignacion]:
        nonlocal libres
        loaded = asignaciones.load(tx, ids_orden)
        libres = iter(tables.libres(tx, len(ids_orden) - len(loaded)))
        return loaded

    def asignar(
        asignacion: Asignacion | None, comando: ComandoAsignarConductor
    ) -> tuple[Asignacion | None, list[Payload]]:
        is_new = asignacion is None and not has_expired(comando.vence, moment)
        return decisions.asignar(asignacion, next(libres, None) if is_new else None, comando, moment)

    return decide(tx, batch, asignar, Store(asignaciones.key, load, asignaciones.save))
