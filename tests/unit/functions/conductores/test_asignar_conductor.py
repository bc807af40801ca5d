"""conductores/comando-asignar-conductor: the decision."""

from functions.conductores import decisions
from functions.messages.ids import new
from functions.messages.payloads import ComandoRevertirDisminuirStock
from tests.support.data import make_orden, pedir_conductor


def test_a_free_driver_is_assigned_and_the_order_marked_ready() -> None:
    comando, libre = pedir_conductor(make_orden()), new()
    asignacion, (output,) = decisions.asignar(None, libre, comando)
    assert (asignacion.id_conductor, asignacion.estado) == (libre, "asignada")
    assert output.id_conductor == libre  # type: ignore[attr-defined]


def test_without_a_free_driver_the_stock_is_given_back() -> None:
    asignacion, (output,) = decisions.asignar(None, None, pedir_conductor(make_orden()))
    assert asignacion.estado == "rechazada"
    assert isinstance(output, ComandoRevertirDisminuirStock)
    assert output.motivo == "sin conductor libre"


def test_another_message_for_the_same_order_gets_the_same_answer() -> None:
    comando = pedir_conductor(make_orden())
    for libre in (new(), None):
        asignacion, outputs = decisions.asignar(None, libre, comando)
        assert decisions.asignar(asignacion, new(), comando) == (asignacion, outputs)
