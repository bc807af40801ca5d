"""ordenes/comando-devolver-orden: the decision."""

import pytest

from functions.messages.envelope import InvalidMessage, now
from functions.messages.ids import new
from functions.messages.payloads import ComandoDevolverOrden, ComandoLiberarConductor, EventoRechazo
from functions.ordenes import decisions
from tests.support.data import orden_in


def test_a_dispatched_order_is_brought_back_and_undone_last_step_first() -> None:
    orden, moment = orden_in("despachada"), now()
    comando = ComandoDevolverOrden(orden.id_orden, orden.transaction_id, "Nadie en casa")
    devuelta, (compensacion, evento) = decisions.devolver_orden(orden, comando, moment)
    assert (devuelta.estado, devuelta.motivo, devuelta.version) == ("devuelta", "Nadie en casa", orden.version + 1)
    assert devuelta.finalizada_en == moment
    assert evento is devuelta
    assert isinstance(compensacion, ComandoLiberarConductor)
    assert (compensacion.id_orden, compensacion.motivo) == (orden.id_orden, "devuelta")


@pytest.mark.parametrize("estado", ["creada", "iniciada", "entregada", "cancelada", "fallida"])
def test_any_other_order_is_not_and_that_is_said(estado: str) -> None:
    orden = orden_in(estado)
    comando = ComandoDevolverOrden(orden.id_orden, orden.transaction_id, "Nadie en casa")
    rechazo = EventoRechazo(orden.id_orden, "comando-devolver-orden", estado, orden.transaction_id)
    assert decisions.devolver_orden(orden, comando, now()) == (orden, [rechazo])


def test_bringing_it_back_again_changes_nothing_and_says_nothing() -> None:
    orden = orden_in("devuelta")
    comando = ComandoDevolverOrden(orden.id_orden, orden.transaction_id, "otra vez")
    assert decisions.devolver_orden(orden, comando, now()) == (orden, [])


def test_an_unknown_order_and_another_saga_are_impossible_messages() -> None:
    orden = orden_in("despachada")
    with pytest.raises(InvalidMessage, match=f"id_orden is {orden.id_orden}"):
        decisions.devolver_orden(None, ComandoDevolverOrden(orden.id_orden, orden.transaction_id, "-"), now())
    with pytest.raises(InvalidMessage, match="transaction_id is"):
        decisions.devolver_orden(orden, ComandoDevolverOrden(orden.id_orden, new(), "-"), now())
