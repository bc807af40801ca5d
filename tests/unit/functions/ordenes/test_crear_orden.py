"""ordenes/comando-crear-orden: the decision."""

from dataclasses import replace
from datetime import timedelta

import pytest

from functions.messages.envelope import InvalidMessage, now
from functions.messages.ids import new
from functions.messages.payloads import ComandoVerificarOrden
from functions.ordenes import decisions
from functions.ordenes.deadlines import MAX_ORDENES, merge_checks
from tests.support.data import PLAZOS, make_orden, pedir_stock

NOW = now()
IN_2_MINUTES = NOW + timedelta(minutes=2)
TOMORROW = NOW + timedelta(days=1)


def test_a_new_order_is_creada_and_asks_for_its_stock_which_is_wanted_for_a_day() -> None:
    comando = make_orden(cantidad=3)
    orden, outputs = decisions.crear(None, comando, NOW, PLAZOS)
    assert (orden.estado, orden.version, orden.id_driver, orden.motivo) == ("creada", 1, None, None)
    assert orden.creada_en == NOW
    assert outputs == [
        pedir_stock(comando, vence=TOMORROW),
        orden,
        ComandoVerificarOrden(comando.id_orden, 1, comando.transaction_id, programado=IN_2_MINUTES),
    ]


def test_asking_again_for_an_order_that_waits_only_asks_for_its_stock_again() -> None:
    comando = make_orden()
    orden, (request, *_) = decisions.crear(None, comando, NOW, PLAZOS)
    assert decisions.crear(orden, comando, IN_2_MINUTES, PLAZOS) == (orden, [request])


def test_another_saga_can_not_have_an_order_that_exists() -> None:
    comando = make_orden()
    orden, _ = decisions.crear(None, comando, NOW, PLAZOS)
    with pytest.raises(InvalidMessage, match="transaction_id is"):
        decisions.crear(orden, replace(comando, transaction_id=new()), NOW, PLAZOS)


def test_an_order_that_is_given_up_before_its_first_check_is_checked_then() -> None:
    _, outputs = decisions.crear(None, make_orden(), NOW, replace(PLAZOS, give_up=7))
    assert outputs[2].programado == NOW + timedelta(seconds=7)  # type: ignore[attr-defined]


def test_a_batch_asks_once_for_all_its_checks_with_its_last_order() -> None:
    comandos = [make_orden() for _ in range(3)]
    outputs = [decisions.crear(None, comando, NOW, PLAZOS)[1] for comando in comandos]
    merged = merge_checks(outputs)
    first, *rest = (comando.id_orden for comando in comandos)
    check = ComandoVerificarOrden(first, 1, comandos[0].transaction_id, rest, IN_2_MINUTES)
    assert merged == [*(messages[:2] for messages in outputs[:2]), [*outputs[2][:2], check]]
    assert merge_checks(outputs[:1]) == outputs[:1]
    assert merge_checks([[]]) == [[]]
    assert merge_checks([]) == []


def test_no_message_asks_for_more_checks_than_a_batch_has_orders() -> None:
    outputs = [decisions.crear(None, make_orden(), NOW, PLAZOS)[1] for _ in range(MAX_ORDENES + 1)]
    *_, full, one = merge_checks(outputs)[-1]
    assert isinstance(full, ComandoVerificarOrden)
    assert isinstance(one, ComandoVerificarOrden)
    assert (len(full.ordenes), len(one.ordenes), one.otras) == (MAX_ORDENES, 1, None)
