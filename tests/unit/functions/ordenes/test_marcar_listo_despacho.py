"""ordenes/comando-marcar-listo-despacho: the decision."""

import pytest

from functions.messages.envelope import InvalidMessage
from functions.messages.payloads import ComandoVerificarOrden
from functions.ordenes import decisions
from tests.support.data import listo, make_orden, revertir


def test_a_driver_makes_the_order_iniciada() -> None:
    comando = make_orden()
    orden, _ = decisions.crear(None, comando)
    with_conductor = listo(comando)
    iniciada, outputs = decisions.marcar_listo(orden, with_conductor)
    assert (iniciada.estado, iniciada.id_driver, iniciada.version) == ("iniciada", with_conductor.id_conductor, 2)
    assert outputs == [iniciada]


@pytest.mark.parametrize("final_estado", ["iniciada", "fallida"])
def test_an_order_that_has_ended_stays_as_it_is(final_estado: str) -> None:
    comando = make_orden()
    orden, _ = decisions.crear(None, comando)
    if final_estado == "iniciada":
        ended, _ = decisions.marcar_listo(orden, listo(comando))
    else:
        ended, _ = decisions.revertir(orden, revertir(comando))
    assert decisions.marcar_listo(ended, listo(comando)) == (ended, [])
    assert decisions.revertir(ended, revertir(comando)) == (ended, [])
    assert decisions.crear(ended, comando) == (ended, [])
    for intento in range(1, decisions.DEADLINES + 1):
        deadline = ComandoVerificarOrden(comando.id_orden, intento, comando.transaction_id)
        assert decisions.verificar(ended, deadline) == (ended, [])


def test_an_order_that_does_not_exist_is_an_impossible_message() -> None:
    comando = make_orden()
    with pytest.raises(InvalidMessage, match=str(comando.id_orden)):
        decisions.marcar_listo(None, listo(comando))
    with pytest.raises(InvalidMessage, match=str(comando.id_orden)):
        decisions.revertir(None, revertir(comando))
    with pytest.raises(InvalidMessage, match=str(comando.id_orden)):
        decisions.verificar(None, ComandoVerificarOrden(comando.id_orden, 1, comando.transaction_id))
