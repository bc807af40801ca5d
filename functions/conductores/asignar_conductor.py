"""conductores/comando-asignar-conductor → ordenes/comando-marcar-listo-despacho, conductores/comando-revisar-espera,
conductores/evento-conductor; or, refused, productos/comando-revertir-disminuir-stock.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from functions.conductores import decisions, tables, waiting
from functions.conductores.decisions import ESPERANDO, Asignacion, Espera
from functions.conductores.states import Changes, Libre
from functions.engine.batch import Outputs, Store, add_to_last, decide
from functions.engine.function import Function
from functions.messages.envelope import Message, has_expired
from functions.messages.ids import Id
from functions.messages.payloads import ComandoAsignarConductor, ComandoRevisarEspera, Payload
from functions.postgres.clock import now


class AsignarConductor(Function):
    """Gives orders a free driver each. Without one they wait for ESPERA_CONDUCTOR seconds (userConfig), or, if that is
    zero, are refused and compensated.
    """

    def handle(self, tx: Any, batch: Sequence[Message[ComandoAsignarConductor]]) -> Outputs:
        return self._asignar(tx, batch, is_new=False)

    def handle_new(self, tx: Any, batch: Sequence[Message[ComandoAsignarConductor]]) -> Outputs:
        return self._asignar(tx, batch, is_new=True)

    def _asignar(self, tx: Any, batch: Sequence[Message[ComandoAsignarConductor]], *, is_new: bool) -> Outputs:
        wait = timedelta(seconds=self.config.get("ESPERA_CONDUCTOR", 0))
        changes = waiting.begin(tx) if wait else Changes(now(tx))
        served = waiting.serve(tx, changes) if wait else []  # whoever waits comes first
        asignaciones = tables.asignaciones(changes)
        outputs = _assign(tx, batch, asignaciones.assumed_empty() if is_new else asignaciones, wait, changes)
        return add_to_last(outputs, [*served, *changes.events()])


def _assign(
    tx: Any,
    batch: Sequence[Message[ComandoAsignarConductor]],
    asignaciones: Store[Asignacion],
    wait: timedelta,
    changes: Changes,
) -> Outputs:
    """Locks as many free drivers as there are orders without an assignment, once these are loaded."""
    moment = changes.moment
    libres: Iterator[Libre] = iter(())
    begun: list[Espera] = []

    def load(tx: Any, ids_orden: Sequence[Id]) -> dict[Id, Asignacion]:
        nonlocal libres
        loaded = asignaciones.load(tx, ids_orden)
        libres = iter(tables.libres(tx, len(ids_orden) - len(loaded)))
        return loaded

    def asignar(
        asignacion: Asignacion | None, comando: ComandoAsignarConductor
    ) -> tuple[Asignacion | None, list[Payload]]:
        is_new = asignacion is None and not has_expired(comando.vence, moment)
        libre = next(libres, None) if is_new else None
        id_libre = None if libre is None else libre.id_conductor
        decided, outputs = decisions.asignar(asignacion, id_libre, comando, moment, wait)
        if libre is not None:
            changes.take(libre, comando.id_orden)
        elif is_new and decided is not None and decided.estado == ESPERANDO:
            begun.append(decisions.espera(comando, moment, moment + wait))
        return decided, outputs

    outputs = decide(tx, batch, asignar, Store(asignaciones.key, load, asignaciones.save))
    if not begun:
        return outputs
    tables.begin_waits(tx, begun)
    return add_to_last(outputs, [ComandoRevisarEspera(begun[0].id_orden, moment + wait)])
