"""conductores/comando-completar-asignacion: the decision."""

import pytest

from functions.conductores import decisions
from functions.messages.envelope import InvalidMessage, now
from functions.messages.ids import new
from functions.messages.payloads import ComandoCompletarAsignacion
from tests.support.data import liberar, make_orden, pedir_conductor


def test_a_delivered_orders_assignment_is_completed_once_and_keeps_its_driver() -> None:
    orden = make_orden()
    asignada, _ = decisions.asignar(None, new(), pedir_conductor(orden), now())
    assert asignada is not None
    comando = ComandoCompletarAsignacion(orden.id_orden, orden.transaction_id)
    completada, outputs = decisions.completar_asignacion(asignada, comando)
    assert (completada.estado, completada.id_conductor) == ("completada", asignada.id_conductor)
    assert outputs == []
    assert decisions.completar_asignacion(completada, comando) == (completada, [])


def test_a_completed_assignment_can_not_be_undone() -> None:
    """What a customer has got is not given back by a message that comes late, or from somebody else."""
    orden = make_orden()
    asignada, _ = decisions.asignar(None, new(), pedir_conductor(orden), now())
    comando = ComandoCompletarAsignacion(orden.id_orden, orden.transaction_id)
    completada, _ = decisions.completar_asignacion(asignada, comando)
    with pytest.raises(InvalidMessage, match="it was delivered"):
        decisions.liberar(completada, liberar(orden))


def test_an_order_without_a_driver_and_another_saga_are_impossible_messages() -> None:
    orden = make_orden()
    comando = ComandoCompletarAsignacion(orden.id_orden, orden.transaction_id)
    rechazada, _ = decisions.asignar(None, None, pedir_conductor(orden), now())
    for asignacion in (None, rechazada):
        with pytest.raises(InvalidMessage, match=f"id_orden is {comando.id_orden}"):
            decisions.completar_asignacion(asignacion, comando)
    asignada, _ = decisions.asignar(None, new(), pedir_conductor(orden), now())
    with pytest.raises(InvalidMessage, match="transaction_id is"):
        decisions.completar_asignacion(asignada, ComandoCompletarAsignacion(orden.id_orden, new()))
