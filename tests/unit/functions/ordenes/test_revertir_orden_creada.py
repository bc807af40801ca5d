"""ordenes/comando-revertir-orden-creada: the decision."""

from functions.ordenes import decisions
from tests.support.data import make_orden, revertir, stored_orden


def test_a_compensation_makes_the_order_fallida_with_the_reason() -> None:
    comando = make_orden()
    orden = stored_orden(comando)
    fallida, outputs = decisions.revertir(orden, revertir(comando))
    assert (fallida.estado, fallida.motivo, fallida.version) == ("fallida", "stock insuficiente", 2)
    assert outputs == [fallida]
