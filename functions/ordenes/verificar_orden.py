"""ordenes/comando-verificar-orden → productos/comando-disminuir-stock, ordenes/comando-verificar-orden;
or, at the last deadline, conductores/comando-liberar-conductor, ordenes/evento-orden.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from functions.engine.batch import Outputs, decide
from functions.engine.function import Function
from functions.messages.envelope import Message
from functions.messages.payloads import ComandoVerificarOrden
from functions.ordenes import decisions, tables
from functions.ordenes.deadlines import merge_deadlines


class VerificarOrden(Function):
    """Looks after orders at their deadlines: pushes their sagas on, or gives them up at the last deadline."""

    batch_size = 20  # messages of up to 500 orders

    def handle(self, tx: Any, batch: Sequence[Message[ComandoVerificarOrden]]) -> Outputs:
        single_orders = [
            replace(message, data=replace(message.data, id_orden=id_orden, otras=None))
            for message in batch
            for id_orden in message.data.ordenes
        ]
        outputs = iter(decide(tx, single_orders, decisions.verificar, tables.ORDENES))
        by_message = ([next(outputs) for _ in message.data.ordenes] for message in batch)
        return [list(chain(*merge_deadlines(group))) for group in by_message]
