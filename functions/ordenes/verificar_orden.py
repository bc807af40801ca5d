"""ordenes/comando-verificar-orden → productos/comando-disminuir-stock, ordenes/comando-verificar-orden;
or, given up, conductores/comando-liberar-conductor, ordenes/evento-orden.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from typing import Any

from functions.engine.batch import Outputs, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoVerificarOrden
from functions.ordenes import decisions, tables
from functions.ordenes.deadlines import merge_checks, plazos, push_sparingly
from functions.postgres.clock import now


class VerificarOrden(Function):
    """Looks after orders that have not ended: pushes their sagas on, in the end gives them up."""

    batch_size = 20  # messages of up to 500 orders

    def handle(self, tx: Any, batch: Sequence[Message[ComandoVerificarOrden]]) -> Outputs:
        single_orders = [
            replace(message, data=replace(message.data, id_orden=id_orden, otras=None))
            for message in batch
            for id_orden in message.data.ordenes
        ]
        verificar = partial(decisions.verificar, now=now(tx), plazos=plazos(self.config, tables.are_suspended(tx)))
        by_orden = decide(tx, single_orders, verificar, tables.ORDENES)
        outputs = iter(merge_checks(push_sparingly(by_orden)))
        return [list(chain(*(next(outputs) for _ in message.data.ordenes))) for message in batch]
