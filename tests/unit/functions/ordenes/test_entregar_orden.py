"""ordenes/comando-entregar-orden: the decision."""

import pytest

from functions.messages.envelope import InvalidMessage, now
from functions.messages.ids import new
from functions.messages.payloads import ComandoCompletarAsignacion, ComandoEntregarOrden, EventoRechazo
from functions.ordenes import decisions
from tests.support.data import orden_in


def test_a_dispatched_order_is_delivered_and_its_driver_is_done_with_it() -> None:
    orden, moment = orden_in("despachada"), now()
    comando = ComandoEntregarOrden(orden.id_orden, orden.transaction_id, "Ana")
    entregada, outputs = decisions.entregar_orden(orden, comando, moment)
    assert (entregada.estado, entregada.recibido_por, entregada.version) == ("entregada", "Ana", orden.version + 1)
    assert (entregada.finalizada_en, entregada.motivo) == (moment, None)
    assert outputs == [ComandoCompletarAsignacion(orden.id_orden, orden.transaction_id), entregada]


@pytest.mark.parametrize("estado", ["creada", "iniciada", "devuelta", "cancelada", "fallida"])
def test_any_other_order_is_not_and_that_is_said(estado: str) -> None:
    orden = orden_in(estado)
    comando = ComandoEntregarOrden(orden.id_orden, orden.transaction_id)
    rechazo = EventoRechazo(orden.id_orden, "comando-entregar-orden", estado, orden.transaction_id)
    assert decisions.entregar_orden(orden, comando, now()) == (orden, [rechazo])


def test_delivering_again_changes_nothing_and_says_nothing() -> None:
    orden = orden_in("entregada")
    comando = ComandoEntregarOrden(orden.id_orden, orden.transaction_id, "otra")
    assert decisions.entregar_orden(orden, comando, now()) == (orden, [])


def test_an_unknown_order_and_another_saga_are_impossible_messages() -> None:
    orden = orden_in("despachada")
    with pytest.raises(InvalidMessage, match=f"id_orden is {orden.id_orden}"):
        decisions.entregar_orden(None, ComandoEntregarOrden(orden.id_orden, orden.transaction_id), now())
    with pytest.raises(InvalidMessage, match="transaction_id is"):
        decisions.entregar_orden(orden, ComandoEntregarOrden(orden.id_orden, new()), now())
