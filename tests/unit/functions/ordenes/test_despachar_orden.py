"""ordenes/comando-despachar-orden: the decision."""

import pytest

from functions.messages.envelope import InvalidMessage, now
from functions.messages.ids import new
from functions.messages.payloads import ComandoDespacharOrden, EventoRechazo
from functions.ordenes import decisions
from tests.support.data import orden_in


def test_an_order_with_a_driver_is_dispatched() -> None:
    orden, moment = orden_in("iniciada"), now()
    comando = ComandoDespacharOrden(orden.id_orden, orden.transaction_id)
    despachada, outputs = decisions.despachar_orden(orden, comando, moment)
    assert (despachada.estado, despachada.version) == ("despachada", orden.version + 1)
    assert (despachada.iniciada_en, despachada.despachada_en) == (orden.iniciada_en, moment)
    assert (despachada.finalizada_en, despachada.id_driver) == (None, orden.id_driver)
    assert outputs == [despachada]


@pytest.mark.parametrize("estado", ["creada", "entregada", "devuelta", "cancelada", "fallida"])
def test_any_other_order_is_not_and_that_is_said(estado: str) -> None:
    orden = orden_in(estado)
    comando = ComandoDespacharOrden(orden.id_orden, orden.transaction_id)
    rechazo = EventoRechazo(orden.id_orden, "comando-despachar-orden", estado, orden.transaction_id)
    assert decisions.despachar_orden(orden, comando, now()) == (orden, [rechazo])


def test_dispatching_again_changes_nothing_and_says_nothing() -> None:
    orden = orden_in("despachada")
    comando = ComandoDespacharOrden(orden.id_orden, orden.transaction_id)
    assert decisions.despachar_orden(orden, comando, now()) == (orden, [])


def test_an_unknown_order_and_another_saga_are_impossible_messages() -> None:
    orden = orden_in("iniciada")
    with pytest.raises(InvalidMessage, match=f"id_orden is {orden.id_orden}"):
        decisions.despachar_orden(None, ComandoDespacharOrden(orden.id_orden, orden.transaction_id), now())
    with pytest.raises(InvalidMessage, match="transaction_id is"):
        decisions.despachar_orden(orden, ComandoDespacharOrden(orden.id_orden, new()), now())
