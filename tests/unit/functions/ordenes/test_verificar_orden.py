"""ordenes/comando-verificar-orden: the decision."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from functions.messages.envelope import InvalidMessage, now
from functions.messages.ids import new
from functions.messages.payloads import ComandoDisminuirStock, ComandoVerificarOrden, Payload
from functions.ordenes import decisions
from functions.ordenes.deadlines import Plazos, merge_checks, push_sparingly
from functions.ordenes.states import Orden
from tests.support.data import PLAZOS, liberar, listo, make_orden, pedir_stock, stored_orden

CREATED = now()
COMANDO = make_orden()
ORDEN = stored_orden(COMANDO, CREATED)
TOMORROW = CREATED + timedelta(days=1)


def at(minutes: float) -> datetime:
    return CREATED + timedelta(minutes=minutes)


def check(number: int, programado: datetime | None, orden: Orden = ORDEN) -> ComandoVerificarOrden:
    return ComandoVerificarOrden(orden.id_orden, number, orden.transaction_id, programado=programado)


def checked(number: int, moment: datetime, limits: Plazos = PLAZOS, orden: Orden = ORDEN) -> list[Payload]:
    """What a check that comes when it is due leads to."""
    after, outputs = decisions.verificar(orden, check(number, moment, orden), moment, limits)
    assert after == orden
    return outputs


def test_an_order_that_has_not_ended_is_pushed_on_after_2_and_4_and_8_minutes_and_in_the_end_each_64() -> None:
    moment = at(0)
    for number, minutes in enumerate((2, 4, 8, 16, 32, 64, 64, 64), 1):
        moment += timedelta(minutes=minutes)
        request, following = checked(number, moment)
        assert request == pedir_stock(COMANDO, vence=TOMORROW)
        assert following == check(number + 1, moment + PLAZOS.wait(number + 1))


def test_the_last_check_is_when_the_order_is_given_up() -> None:
    moment = TOMORROW - timedelta(minutes=1)
    _, following = checked(30, moment)
    assert following == check(31, TOMORROW)


def test_an_order_whose_time_is_over_fails_and_what_was_done_for_it_is_undone() -> None:
    fallida, outputs = decisions.verificar(ORDEN, check(1, None), TOMORROW, PLAZOS)
    assert fallida is not None
    assert (fallida.estado, fallida.motivo, fallida.version) == ("fallida", "plazo vencido", 2)
    assert outputs == [fallida, liberar(COMANDO)]


def test_it_is_the_time_that_counts_and_not_the_number_of_checks() -> None:
    assert len(checked(1_000, TOMORROW - timedelta(seconds=1))) == 2


def test_while_giving_up_is_suspended_orders_wait_and_what_they_ask_for_stays_wanted() -> None:
    suspended = replace(PLAZOS, suspendidos=True)
    moment = TOMORROW + timedelta(days=3)
    request, following = checked(40, moment, suspended)
    assert isinstance(request, ComandoDisminuirStock)
    assert isinstance(following, ComandoVerificarOrden)
    assert request.vence is not None
    assert following.programado is not None
    assert moment < following.programado < request.vence
    assert decisions.verificar(ORDEN, following, following.programado, PLAZOS)[1][0].estado == "fallida"  # type: ignore[attr-defined]


def test_while_giving_up_is_suspended_what_is_asked_for_becomes_another_message_once_a_day() -> None:
    suspended = replace(PLAZOS, suspendidos=True)
    limits = {checked(40, at(60 * hours), suspended)[0].vence for hours in range(1, 72)}  # type: ignore[attr-defined]
    assert limits == {CREATED + timedelta(days=days) for days in (1, 2, 3, 4)}


def test_a_check_that_comes_much_too_early_asks_for_nothing_and_is_followed_by_a_later_one() -> None:
    """From a broker whose clock is 3 minutes ahead of the database's; a second is what brokers take for punctual."""
    assert decisions.verificar(ORDEN, check(1, at(2)), at(0), PLAZOS) == (ORDEN, [check(2, at(4))])
    punctual = at(2) - timedelta(seconds=1)
    assert len(decisions.verificar(ORDEN, check(1, at(2)), punctual, PLAZOS)[1]) == 2


def test_a_clock_that_differs_by_minutes_has_no_order_given_up() -> None:
    for minutes in (-3, 3):
        assert len(decisions.verificar(ORDEN, check(1, at(2)), at(2 + minutes), PLAZOS)[1]) in (1, 2)


def test_the_last_check_does_not_come_again_and_again_from_a_broker_whose_clock_is_ahead() -> None:
    """It comes early by what the clocks differ: the next one is scheduled later by as much, and comes at the end."""
    end, ahead = TOMORROW, timedelta(minutes=3)
    following = decisions.verificar(ORDEN, check(25, end), end - ahead, PLAZOS)[1][-1]
    assert isinstance(following, ComandoVerificarOrden)
    assert following.programado == end + ahead


def test_an_order_that_has_ended_stays_as_it_is() -> None:
    iniciada, _ = decisions.marcar_listo(ORDEN, listo(COMANDO), at(1))
    assert decisions.verificar(iniciada, check(1, at(2)), at(2), PLAZOS) == (iniciada, [])


def test_an_unknown_order_is_checked_alone_and_then_an_invalid_message() -> None:
    """The others of the message are none of its business."""
    comando = ComandoVerificarOrden(new(), 2, new(), [new()], at(2))
    alone = replace(comando, otras=None, programado=None)
    assert decisions.verificar(None, comando, at(2), PLAZOS) == (None, [alone])
    with pytest.raises(InvalidMessage, match=f"id_orden is {comando.id_orden}: there is no such order"):
        decisions.verificar(None, alone, at(2), PLAZOS)


def waiting(count: int, number: int = 1) -> list[list[Payload]]:
    """What the checks of so many orders lead to that have not ended."""
    return [checked(number, at(2), orden=stored_orden(moment=CREATED)) for _ in range(count)]


def pushed(outputs: Sequence[Sequence[Payload]]) -> list[bool]:
    return [any(isinstance(output, ComandoDisminuirStock) for output in group) for group in outputs]


def test_if_no_order_has_ended_only_one_is_pushed_on_so_that_the_backlog_does_not_grow() -> None:
    outputs = waiting(3)
    assert push_sparingly(outputs) == [outputs[0], outputs[1][1:], outputs[2][1:]]


def test_if_an_order_has_ended_all_others_are_pushed_on() -> None:
    outputs = [*waiting(2), [], *waiting(1)]
    assert push_sparingly(outputs) == outputs


def test_what_is_no_push_stays_and_the_next_one_that_can_be_is_pushed() -> None:
    given_up = decisions.verificar(ORDEN, check(1, None), TOMORROW, PLAZOS)[1]
    unknown = decisions.verificar(None, check(1, at(2)), at(2), PLAZOS)[1]
    outputs = [given_up, unknown, *waiting(2)]
    assert pushed(push_sparingly(outputs)) == [False, False, True, False]
    assert push_sparingly(outputs)[:2] == [given_up, unknown]
    assert push_sparingly([given_up, unknown]) == [given_up, unknown]
    assert push_sparingly([]) == []


def test_another_order_is_pushed_on_at_each_check() -> None:
    outputs = waiting(3)
    first, second, third = (group[1].id_orden for group in outputs)  # type: ignore[attr-defined]
    merged = merge_checks(push_sparingly(outputs))[-1][-1]
    assert isinstance(merged, ComandoVerificarOrden)
    assert merged.ordenes == [second, third, first]


def test_orders_with_checks_of_the_same_number_are_checked_together_when_the_first_is_due() -> None:
    early, late, other = waiting(1)[0][1], waiting(1)[0][1], waiting(1, number=2)[0][1]
    assert isinstance(early, ComandoVerificarOrden)
    assert isinstance(late, ComandoVerificarOrden)
    assert isinstance(other, ComandoVerificarOrden)
    early = replace(early, programado=at(3))
    *_, last = merge_checks([[late], [other], [early]])
    assert last == [replace(late, otras=[early.id_orden], programado=at(3)), other]


def test_what_is_to_be_checked_alone_stays_alone() -> None:
    unknown = decisions.verificar(None, check(1, at(2)), at(2), PLAZOS)[1]
    assert merge_checks([unknown, unknown]) == [unknown, unknown]
