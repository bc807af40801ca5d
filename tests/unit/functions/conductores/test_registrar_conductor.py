"""conductores/comando-registrar-conductor: what is written. That it happens once is up to PostgreSQL."""

from functions.conductores.registrar_conductor import RegistrarConductor
from functions.messages.envelope import Message
from functions.messages.ids import new
from functions.messages.payloads import ComandoRegistrarConductor
from tests.support.fake_transaction import FakeTransaction


def test_all_drivers_of_a_batch_are_one_statement_with_their_names_if_they_have_one() -> None:
    ana, unnamed = ComandoRegistrarConductor(new(), "Ana"), ComandoRegistrarConductor(new(), None)
    tx = FakeTransaction()
    batch = [Message(new(), 0, 0, comando) for comando in (ana, unnamed)]
    assert RegistrarConductor().handle(tx, batch) == [[], []]
    assert tx.executed[0] == {"id_conductor": [ana.id_conductor, unnamed.id_conductor], "nombre": ["Ana", None]}
