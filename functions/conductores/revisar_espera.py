"""conductores/comando-revisar-espera → ordenes/comando-marcar-listo-despacho, conductores/evento-conductor;
or, over, productos/comando-revertir-disminuir-stock; conductores/comando-revisar-espera.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from functions.conductores import decisions, tables, waiting
from functions.engine.batch import Outputs, add_to_last
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoRevisarEspera, Payload


class RevisarEspera(Function):
    """Looks after orders that wait for a driver: those whose wait is over are refused, and compensated."""

    def handle(self, tx: Any, batch: Sequence[Message[ComandoRevisarEspera]]) -> Outputs:
        changes = waiting.begin(tx)
        moment = changes.moment
        outputs: list[Payload] = waiting.serve(tx, changes)
        over = tables.esperas_over(tx, moment, waiting.MAX_ORDENES)
        if over:
            refused = [decisions.refuse(espera) for espera in over]
            tables.end_waits(tx, [asignacion for asignacion, _ in refused], moment)
            outputs += [output for _, following in refused for output in following]
        if len(over) == waiting.MAX_ORDENES:
            outputs.append(ComandoRevisarEspera(over[-1].id_orden, moment))  # there may be more
        for message in batch:
            # by how much the broker's clock is ahead, or too little to matter
            early = message.data.hasta - moment
            if early > timedelta():
                outputs.append(ComandoRevisarEspera(message.data.id_orden, message.data.hasta + early))
        return add_to_last([[] for _ in batch], [*outputs, *changes.events()])
