"""ordenes/comando-verificar-orden: the decision."""

from functions.messages.payloads import ComandoVerificarOrden
from functions.ordenes import decisions
from tests.support.data import liberar, make_orden


def test_an_order_that_has_not_ended_at_a_deadline_is_pushed_on_and_given_another() -> None:
    comando = make_orden()
    orden, (request, _, deadline) = decisions.crear(None, comando)
    assert isinstance(deadline, ComandoVerificarOrden)
    following = ComandoVerificarOrden(comando.id_orden, 2, comando.transaction_id)
    assert decisions.verificar(orden, deadline) == (orden, [request, following])


def test_at_the_last_deadline_the_order_fails_and_what_was_done_for_it_is_undone() -> None:
    comando = make_orden()
    orden, _ = decisions.crear(None, comando)
    fallida, outputs = decisions.verificar(
        orden, ComandoVerificarOrden(orden.id_orden, decisions.DEADLINES, orden.transaction_id)
    )
    assert (fallida.estado, fallida.motivo, fallida.version) == ("fallida", "plazo vencido", 2)
    assert outputs == [fallida, liberar(comando)]
