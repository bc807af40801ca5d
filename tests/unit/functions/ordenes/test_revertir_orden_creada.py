"""ordenes/comando-revertir-orden-creada: the decision."""

from functions.messages.envelope import now
from functions.ordenes import decisions
from tests.support.data import make_orden, revertir, stored_orden


def test_a_compensation_makes_the_order_fallida_with_the_reason() -> None:
    comando = make_orden()
    orden = stored_orden(comando)
    moment = now()
    fallida, outputs = decisions.revertir(orden, revertir(comando), moment)
    assert (fallida.estado, fallida.motivo, fallida.version) == ("fallida", "stock insuficiente", 2)
    assert (fallida.iniciada_en, fallida.finalizada_en) == (None, moment)
    assert outputs == [fallida]
