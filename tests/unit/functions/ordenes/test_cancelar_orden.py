"""ordenes/comando-cancelar-orden: the decision."""

import pytest

from functions.messages.envelope import InvalidMessage, now
from functions.messages.ids import new
from functions.messages.payloads import ComandoCancelarOrden, ComandoLiberarConductor, EventoRechazo
from functions.ordenes import decisions
from tests.support.data import orden_in


@pytest.mark.parametrize("estado", ["creada", "iniciada"])
def test_an_order_that_was_not_dispatched_is_cancelled_and_undone_last_step_first(estado: str) -> None:
    orden, moment = orden_in(estado), now()
    comando = ComandoCancelarOrden(orden.id_orden, orden.transaction_id, "Ya no lo necesito")
    cancelada, (compensacion, evento) = decisions.cancelar_orden(orden, comando, moment)
    assert (cancelada.estado, cancelada.motivo) == ("cancelada", "Ya no lo necesito")
    assert (cancelada.finalizada_en, cancelada.version) == (moment, orden.version + 1)
    assert evento is cancelada
    assert isinstance(compensacion, ComandoLiberarConductor)
    assert (compensacion.id_orden, compensacion.motivo) == (orden.id_orden, "cancelada")


@pytest.mark.parametrize("estado", ["despachada", "entregada", "devuelta", "fallida"])
def test_it_is_too_late_afterwards_and_that_is_said(estado: str) -> None:
    orden = orden_in(estado)
    comando = ComandoCancelarOrden(orden.id_orden, orden.transaction_id)
    rechazo = EventoRechazo(orden.id_orden, "comando-cancelar-orden", estado, orden.transaction_id)
    assert decisions.cancelar_orden(orden, comando, now()) == (orden, [rechazo])


def test_cancelling_again_changes_nothing_and_says_nothing() -> None:
    orden = orden_in("cancelada")
    comando = ComandoCancelarOrden(orden.id_orden, orden.transaction_id, "otra vez")
    assert decisions.cancelar_orden(orden, comando, now()) == (orden, [])


def test_an_unknown_order_and_another_saga_are_impossible_messages() -> None:
    orden = orden_in("creada")
    with pytest.raises(InvalidMessage, match=f"id_orden is {orden.id_orden}"):
        decisions.cancelar_orden(None, ComandoCancelarOrden(orden.id_orden, orden.transaction_id), now())
    with pytest.raises(InvalidMessage, match="transaction_id is"):
        decisions.cancelar_orden(orden, ComandoCancelarOrden(orden.id_orden, new()), now())
