"""ordenes/comando-suspender-plazos: what it stores."""

from functions.messages.envelope import Message
from functions.messages.ids import new
from functions.messages.payloads import ComandoSuspenderPlazos
from functions.ordenes.suspender_plazos import SuspenderPlazos
from tests.support.fake_transaction import FakeTransaction


def test_what_operators_say_is_kept_in_their_order_and_nothing_follows() -> None:
    suspend = ComandoSuspenderPlazos(True, "ana", "no hay base de datos")
    resume = ComandoSuspenderPlazos(False, "luz", "ya hay")
    tx = FakeTransaction()
    assert SuspenderPlazos().handle(tx, [Message(new(), 0, 0, comando) for comando in (suspend, resume)]) == [[], []]
    assert tx.executed == [
        {"suspendidos": [True, False], "operador": ["ana", "luz"], "motivo": ["no hay base de datos", "ya hay"]}
    ]
