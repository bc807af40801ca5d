"""ordenes/comando-marcar-listo-despacho: the decision."""

import pytest

from functions.messages.envelope import InvalidMessage, now
from functions.messages.ids import new
from functions.ordenes import decisions
from tests.support.data import PLAZOS, listo, make_orden, revertir, stored_orden


def test_a_driver_makes_the_order_iniciada() -> None:
    comando = make_orden()
    orden = stored_orden(comando)
    with_conductor = listo(comando)
    moment = now()
    iniciada, outputs = decisions.marcar_listo(orden, with_conductor, moment)
    assert (iniciada.estado, iniciada.id_driver, iniciada.version) == ("iniciada", with_conductor.id_conductor, 2)
    assert (iniciada.iniciada_en, iniciada.finalizada_en) == (moment, None)
    assert outputs == [iniciada]


@pytest.mark.parametrize("final_estado", ["iniciada", "fallida"])
def test_an_order_that_has_ended_stays_as_it_is(final_estado: str) -> None:
    comando = make_orden()
    orden = stored_orden(comando)
    if final_estado == "iniciada":
        ended, _ = decisions.marcar_listo(orden, listo(comando), now())
    else:
        ended, _ = decisions.revertir(orden, revertir(comando), now())
    assert decisions.marcar_listo(ended, listo(comando), now()) == (ended, [])
    assert decisions.revertir(ended, revertir(comando), now()) == (ended, [])
    assert decisions.crear(ended, comando, now(), PLAZOS) == (ended, [])


def test_an_order_that_does_not_exist_is_an_impossible_message() -> None:
    comando = make_orden()
    with pytest.raises(InvalidMessage, match=str(comando.id_orden)):
        decisions.marcar_listo(None, listo(comando), now())
    with pytest.raises(InvalidMessage, match=str(comando.id_orden)):
        decisions.revertir(None, revertir(comando), now())


def test_what_another_saga_says_about_an_order_is_an_invalid_message() -> None:
    """Whoever may publish on the topics could end any order otherwise."""
    comando = make_orden()
    forged = make_orden(id_orden=comando.id_orden, transaction_id=new())
    orden = stored_orden(comando)
    with pytest.raises(InvalidMessage, match=f"transaction_id is {forged.transaction_id}"):
        decisions.marcar_listo(orden, listo(forged), now())
    with pytest.raises(InvalidMessage, match=f"transaction_id is {forged.transaction_id}"):
        decisions.revertir(orden, revertir(forged), now())
