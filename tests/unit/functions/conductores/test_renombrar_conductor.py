"""conductores/comando-renombrar-conductor: the decision."""

from dataclasses import replace

import pytest

from functions.conductores import states
from functions.messages.envelope import InvalidMessage, now
from functions.messages.ids import new
from functions.messages.payloads import MAX_NOMBRE, ComandoRenombrarConductor, Conductor


@pytest.mark.parametrize("estado", [states.LIBRE, states.ASIGNADO, states.RETIRADO])
def test_a_driver_has_another_name_and_all_else_stays(estado: str) -> None:
    ana = Conductor(new(), "Ana", estado, new(), now(), 3)
    assert states.renombrar(ana, ComandoRenombrarConductor(ana.id_conductor, "Eva")) == (
        replace(ana, nombre="Eva", version=4),
        [],
    )


def test_the_same_name_is_no_change() -> None:
    ana = Conductor(new(), "Ana", states.LIBRE, None, now(), 3)
    assert states.renombrar(ana, ComandoRenombrarConductor(ana.id_conductor, "Ana"))[0] is ana


def test_an_unknown_driver_and_a_name_that_is_too_long_are_impossible_messages() -> None:
    comando = ComandoRenombrarConductor(new(), "Eva")
    with pytest.raises(InvalidMessage, match=f"id_conductor is {comando.id_conductor}"):
        states.renombrar(None, comando)
    with pytest.raises(ValueError, match="nombre has"):
        ComandoRenombrarConductor(new(), "x" * (MAX_NOMBRE + 1))
