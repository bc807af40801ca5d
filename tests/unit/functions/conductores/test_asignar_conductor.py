"""conductores/comando-asignar-conductor: the decision."""

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.conductores import decisions
from functions.messages.envelope import InvalidMessage, now
from functions.messages.ids import new
from functions.messages.payloads import ComandoRevertirDisminuirStock
from tests.support.data import liberar, make_orden, pedir_conductor


def test_a_free_driver_is_assigned_and_the_order_marked_ready() -> None:
    comando, libre = pedir_conductor(make_orden()), new()
    asignacion, (output,) = decisions.asignar(None, libre, comando, now())
    assert asignacion is not None
    assert (asignacion.id_conductor, asignacion.estado) == (libre, "asignada")
    assert output.id_conductor == libre  # type: ignore[attr-defined]


def test_without_a_free_driver_the_stock_is_given_back() -> None:
    asignacion, (output,) = decisions.asignar(None, None, pedir_conductor(make_orden()), now())
    assert asignacion is not None
    assert asignacion.estado == "rechazada"
    assert isinstance(output, ComandoRevertirDisminuirStock)
    assert output.motivo == "sin conductor libre"


def test_another_message_for_the_same_order_gets_the_same_answer() -> None:
    comando = pedir_conductor(make_orden())
    for libre in (new(), None):
        asignacion, outputs = decisions.asignar(None, libre, comando, now())
        assert decisions.asignar(asignacion, new(), comando, now()) == (asignacion, outputs)


def test_a_driver_who_is_no_longer_wanted_stays_free() -> None:
    moment = now()
    expired = pedir_conductor(make_orden(), vence=moment)
    assert decisions.asignar(None, new(), expired, moment) == (None, [])
    wanted = pedir_conductor(make_orden(), vence=moment + timedelta(milliseconds=1))
    assert decisions.asignar(None, new(), wanted, moment)[0] is not None


def test_what_another_saga_says_about_an_assignment_is_an_invalid_message() -> None:
    orden = make_orden()
    asignacion, _ = decisions.asignar(None, new(), pedir_conductor(orden), now())
    forged = replace(orden, transaction_id=new())
    with pytest.raises(InvalidMessage, match=f"transaction_id is {forged.transaction_id}"):
        decisions.asignar(asignacion, new(), pedir_conductor(forged), now())
    with pytest.raises(InvalidMessage, match=f"transaction_id is {forged.transaction_id}"):
        decisions.liberar(asignacion, liberar(forged))
