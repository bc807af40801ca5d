"""conductores/comando-revisar-espera: the decisions about orders that wait for a driver."""

from datetime import timedelta

from functions.conductores import decisions
from functions.conductores.decisions import Asignacion
from functions.messages.envelope import now
from functions.messages.ids import new
from functions.messages.payloads import (
    ComandoAsignarConductor,
    ComandoMarcarListoDespacho,
    ComandoRevertirDisminuirStock,
)
from tests.support.data import liberar, make_orden, pedir_conductor

HOUR = timedelta(hours=1)


def wait(comando: ComandoAsignarConductor) -> Asignacion:
    """The assignment of an order that waits."""
    asignacion, outputs = decisions.asignar(None, None, comando, now(), HOUR)
    assert asignacion is not None
    assert outputs == []
    return asignacion


def test_without_a_free_driver_an_order_may_wait_and_asking_again_changes_nothing() -> None:
    comando = pedir_conductor(make_orden())
    asignacion = wait(comando)
    assert (asignacion.estado, asignacion.id_conductor, asignacion.motivo) == ("esperando", None, None)
    assert decisions.asignar(asignacion, new(), comando, now(), HOUR) == (asignacion, [])


def test_no_order_waits_for_a_driver_who_is_free() -> None:
    asignacion, _ = decisions.asignar(None, new(), pedir_conductor(make_orden()), now(), HOUR)
    assert asignacion is not None
    assert asignacion.estado == "asignada"


def test_a_free_driver_goes_to_an_order_that_waits_as_if_it_had_never_waited() -> None:
    comando, libre, moment = pedir_conductor(make_orden()), new(), now()
    given = decisions.give(libre, decisions.espera(comando, moment, moment + HOUR))
    assert given == decisions.asignar(None, libre, comando, moment)
    assert isinstance(given[1][0], ComandoMarcarListoDespacho)


def test_an_order_that_has_waited_long_enough_is_compensated_as_if_it_had_never_waited() -> None:
    comando, moment = pedir_conductor(make_orden()), now()
    refused = decisions.refuse(decisions.espera(comando, moment, moment + HOUR))
    assert refused == decisions.asignar(None, None, comando, moment)
    assert isinstance(refused[1][0], ComandoRevertirDisminuirStock)


def test_an_order_that_is_undone_waits_no_longer() -> None:
    orden = make_orden()
    liberada, outputs = decisions.liberar(wait(pedir_conductor(orden)), liberar(orden))
    assert (liberada.estado, liberada.motivo) == ("liberada", "plazo vencido")
    assert isinstance(outputs[0], ComandoRevertirDisminuirStock)
