"""conductores/comando-registrar-conductor: what is written. That it happens once is up to PostgreSQL."""

import pytest

from functions.conductores.registrar_conductor import RegistrarConductor
from functions.messages.envelope import Message
from functions.messages.ids import new
from functions.messages.payloads import MAX_NOMBRE, ComandoRegistrarConductor
from tests.support.fake_transaction import FakeTransaction


def test_all_drivers_of_a_batch_are_one_statement_with_their_names_if_they_have_one() -> None:
    ana, unnamed = ComandoRegistrarConductor(new(), "Ana"), ComandoRegistrarConductor(new(), None)
    tx = FakeTransaction()
    batch = [Message(new(), 0, 0, comando) for comando in (ana, unnamed)]
    assert RegistrarConductor().handle(tx, batch) == [[], []]
    written = tx.executed[0]
    assert (written["id_conductor"], written["nombre"]) == ([ana.id_conductor, unnamed.id_conductor], ["Ana", None])
    assert written["desde"][0] == written["desde"][1]


def test_a_name_is_only_so_long_that_events_can_tell_it() -> None:
    assert ComandoRegistrarConductor(new(), "á" * MAX_NOMBRE).nombre is not None
    with pytest.raises(ValueError, match=f"nombre has {MAX_NOMBRE + 1} characters"):
        ComandoRegistrarConductor(new(), "á" * (MAX_NOMBRE + 1))
