"""conductores/comando-liberar-conductor: the decision."""

from functions.conductores import decisions
from functions.messages.envelope import now
from functions.messages.ids import new
from functions.messages.payloads import ComandoRevertirDisminuirStock
from tests.support.data import liberar, make_orden, pedir_conductor


def test_the_driver_of_an_order_that_is_given_up_is_freed_and_its_stock_given_back() -> None:
    orden = make_orden()
    asignacion, _ = decisions.asignar(None, new(), pedir_conductor(orden), now())
    liberada, (output,) = decisions.liberar(asignacion, liberar(orden))
    assert (liberada.estado, liberada.id_conductor, liberada.motivo) == ("liberada", None, "plazo vencido")
    assert isinstance(output, ComandoRevertirDisminuirStock)
    assert output.motivo == "plazo vencido"


def test_a_request_for_a_driver_that_comes_after_the_order_was_given_up_is_refused() -> None:
    orden = make_orden()
    liberada, outputs = decisions.liberar(None, liberar(orden))
    assert decisions.asignar(liberada, new(), pedir_conductor(orden), now()) == (liberada, outputs)
    assert decisions.liberar(liberada, liberar(orden)) == (liberada, outputs)


def test_an_order_without_a_driver_stays_refused_when_it_is_given_up() -> None:
    orden = make_orden()
    rechazada, outputs = decisions.asignar(None, None, pedir_conductor(orden), now())
    assert decisions.liberar(rechazada, liberar(orden)) == (rechazada, outputs)
