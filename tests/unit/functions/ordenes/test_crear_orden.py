"""ordenes/comando-crear-orden: the decision."""

from functions.messages.payloads import ComandoVerificarOrden
from functions.ordenes import decisions
from functions.ordenes.deadlines import merge_deadlines
from tests.support.data import make_orden, pedir_stock


def test_a_new_order_is_creada_and_asks_for_its_stock() -> None:
    comando = make_orden(cantidad=3)
    orden, outputs = decisions.crear(None, comando)
    assert (orden.estado, orden.version, orden.id_driver, orden.motivo) == ("creada", 1, None, None)
    assert outputs == [
        pedir_stock(comando),
        orden,
        ComandoVerificarOrden(comando.id_orden, 1, comando.transaction_id),
    ]


def test_asking_again_for_an_order_that_waits_only_asks_for_its_stock_again() -> None:
    comando = make_orden()
    orden, (request, *_) = decisions.crear(None, comando)
    assert decisions.crear(orden, comando) == (orden, [request])


def test_a_batch_asks_once_for_all_its_deadlines_with_its_last_order() -> None:
    comandos = [make_orden() for _ in range(3)]
    outputs = [decisions.crear(None, comando)[1] for comando in comandos]
    merged = merge_deadlines(outputs)
    first, *rest = (comando.id_orden for comando in comandos)
    assert merged[:2] == [messages[:2] for messages in outputs[:2]]
    assert merged[2] == [*outputs[2][:2], ComandoVerificarOrden(first, 1, comandos[0].transaction_id, rest)]
    assert merge_deadlines(outputs[:1]) == outputs[:1]
    assert merge_deadlines([[]]) == [[]]
