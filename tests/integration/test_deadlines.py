"""Orders that have not ended, on a real PostgreSQL: when they are checked, pushed on, given up."""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from functions.engine.engine import Engine
from functions.messages.ids import Id
from functions.messages.payloads import (
    ComandoCrearOrden,
    ComandoDisminuirStock,
    ComandoSuspenderPlazos,
    ComandoVerificarOrden,
    EventoOrden,
)
from functions.pulsar_io.schema import Received
from tests.support.data import listo, make_orden, make_producto, pedir_conductor, pedir_stock
from tests.support.engines import StartEngine, function
from tests.support.fake_pulsar import FakeContext, received
from tests.support.platform import Platform

Running = tuple[Engine, FakeContext]
CHECK = ComandoVerificarOrden.topic
ONE_DAY = timedelta(days=1)


def start(start_engine: StartEngine, name: str) -> Running:
    return start_engine(function(name), name)


def create(start_engine: StartEngine, ordenes: Sequence[ComandoCrearOrden]) -> ComandoVerificarOrden:
    """Creates the orders, and returns the message that has them checked."""
    engine, context = start(start_engine, "crear-orden")
    engine._process_batch([received(orden) for orden in ordenes])
    [message] = context.client.messages(CHECK)
    assert isinstance(message.data, ComandoVerificarOrden)
    return message.data


def pushed(context: FakeContext) -> list[Id]:
    return [message.data.id_orden for message in context.client.messages(ComandoDisminuirStock.topic)]  # type: ignore[attr-defined]


def states(context: FakeContext) -> list[str]:
    return [message.data.estado for message in context.client.messages(EventoOrden.topic)]  # type: ignore[attr-defined]


def make_older(databases: Platform, age: timedelta) -> None:
    databases.sql("ordenes", "update ordenes set creada_en = creada_en - cast(:age as interval)", age=str(age))


def clock(databases: Platform) -> datetime:
    """What the databases' clock says, in whole milliseconds as messages do."""
    return databases.sql("ordenes", "select date_trunc('milliseconds', clock_timestamp())")[0][0]  # type: ignore[no-any-return]


@pytest.mark.parametrize("minutes", [-3, 0, 3])
def test_a_check_is_due_by_the_databases_clock_whatever_that_of_the_functions_host_says(
    databases: Platform, start_engine: StartEngine, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + minutes * 60_000_000_000)
    monkeypatch.setattr(time, "time", lambda: real() / 1e9 + minutes * 60)
    engine, context = start(start_engine, "crear-orden")
    before = clock(databases)
    engine._process_batch([received(make_orden())])
    after = clock(databases)
    assert set(context.client.delayed) == {CHECK}, "nothing else is delivered later"
    due = datetime.fromtimestamp(context.client.delayed[CHECK] / 1000, before.tzinfo) - timedelta(minutes=2)
    tolerance = timedelta(milliseconds=50)  # between the clock's readings and the connection's own measuring
    assert before - tolerance <= due <= after + tolerance


def test_of_several_orders_those_that_have_not_ended_are_pushed_on(
    databases: Platform, start_engine: StartEngine
) -> None:
    ordenes = first, ended, other = [make_orden() for _ in range(3)]
    check = create(start_engine, ordenes)
    assert check.ordenes == [orden.id_orden for orden in ordenes]
    start(start_engine, "marcar-listo-despacho")[0]._process_batch([received(listo(ended))])
    make_older(databases, timedelta(minutes=2))

    engine, context = start(start_engine, "verificar-orden")
    engine._process_batch([received(due_now(check))])
    assert pushed(context) == [first.id_orden, other.id_orden]
    [following] = context.client.messages(CHECK)
    assert isinstance(following.data, ComandoVerificarOrden)
    assert (following.data.intento, following.data.ordenes) == (2, [first.id_orden, other.id_orden])


def due_now(check: ComandoVerificarOrden) -> ComandoVerificarOrden:
    return ComandoVerificarOrden(check.id_orden, check.intento, check.transaction_id, check.otras, EPOCH)


EPOCH = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


def test_during_an_outage_many_messages_become_one_and_one_order_is_pushed_on(
    databases: Platform, start_engine: StartEngine
) -> None:
    checks = [due_now(create(start_engine, [make_orden()])) for _ in range(10)]
    engine, context = start(start_engine, "verificar-orden")
    engine._process_batch([received(check) for check in checks])
    assert pushed(context) == [checks[0].id_orden]
    [following] = context.client.messages(CHECK)
    assert isinstance(following.data, ComandoVerificarOrden)
    assert sorted(following.data.ordenes) == sorted(check.id_orden for check in checks)


def test_orders_that_a_restored_database_does_not_know_are_quarantined_and_the_others_pushed_on(
    databases: Platform, start_engine: StartEngine
) -> None:
    known = [make_orden() for _ in range(3)]
    unknown = [make_orden().id_orden for _ in range(2)]
    check = create(start_engine, known)
    engine, context = start(start_engine, "verificar-orden")
    mixed = ComandoVerificarOrden(unknown[0], 1, make_orden().transaction_id, [*check.ordenes, unknown[1]], EPOCH)
    engine._process_batch([received(mixed)])
    assert not dead_letters(context)
    assert pushed(context) == [known[0].id_orden]
    *alone, following = [message.data for message in context.client.messages(CHECK)]
    assert isinstance(following, ComandoVerificarOrden)
    assert sorted(following.ordenes) == sorted(check.ordenes)
    engine._process_batch([received(one) for one in alone])
    reasons = [properties["dlq-reason"] for properties in dead_letters(context)]
    assert [id_orden in reason for id_orden, reason in zip(unknown, reasons, strict=True)] == [True, True]


def dead_letters(context: FakeContext) -> list[dict[str, str]]:
    return [properties for topic, _, properties in context.client.published if topic.endswith("-dlq")]


def test_an_order_is_given_up_after_a_day_unless_an_operator_has_suspended_that(
    databases: Platform, start_engine: StartEngine
) -> None:
    orden = make_orden()
    check = due_now(create(start_engine, [orden]))
    make_older(databases, ONE_DAY)
    operators, _ = start(start_engine, "suspender-plazos")
    operators._process_batch([received(ComandoSuspenderPlazos(True, "ana", "el almacen no responde"))])
    engine, context = start(start_engine, "verificar-orden")
    engine._process_batch([received(check)])
    assert (states(context), pushed(context)) == ([], [orden.id_orden])

    operators._process_batch([received(ComandoSuspenderPlazos(False, "luz", "responde"))])
    engine._process_batch([received(check)])
    assert states(context) == ["fallida"]


def test_what_dead_orders_asked_for_leaves_the_stock_and_the_drivers_to_living_ones(
    databases: Platform, start_engine: StartEngine
) -> None:
    """Ten orders that were given up stand before ten living ones; there are ten units and one driver."""
    producto = make_producto(stock=10)
    start(start_engine, "crear-producto")[0]._process_batch([received(producto)])
    vence = clock(databases)
    ordenes = [make_orden(id_producto=producto.id_producto, cantidad=1) for _ in range(20)]
    limits = [*[vence] * 10, *[vence + ONE_DAY] * 10]
    batch: list[Received] = [
        received(pedir_stock(orden, vence=limit)) for orden, limit in zip(ordenes, limits, strict=True)
    ]
    engine, context = start(start_engine, "disminuir-stock")
    engine._process_batch(batch)
    sent: list[Any] = [message.data for message in context.client.messages("conductores/comando-asignar-conductor")]
    assert [comando.id_orden for comando in sent] == [orden.id_orden for orden in ordenes[10:]]
    assert [comando.vence for comando in sent] == limits[10:]
    assert not context.client.messages("ordenes/comando-revertir-orden-creada"), "they are given up elsewhere"
    assert databases.sql("productos", "select stock from productos") == [(0,)]

    databases.sql("conductores", "insert into conductores (id_conductor) values (gen_random_uuid())")
    engine, context = start(start_engine, "asignar-conductor")
    engine._process_batch([received(pedir_conductor(ordenes[0], vence=vence)), received(sent[0])])
    ready = [message.data.id_orden for message in context.client.messages("ordenes/comando-marcar-listo-despacho")]  # type: ignore[attr-defined]
    assert ready == [sent[0].id_orden]


def test_a_command_that_had_expired_is_obeyed_once_it_is_wanted_for_longer(
    databases: Platform, start_engine: StartEngine
) -> None:
    producto, orden = make_producto(stock=1), make_orden(cantidad=1)
    start(start_engine, "crear-producto")[0]._process_batch([received(producto)])
    comando = pedir_stock(make_orden(id_orden=orden.id_orden, id_producto=producto.id_producto, cantidad=1))
    engine, _ = start(start_engine, "disminuir-stock")
    for vence, stock in ((EPOCH, 1), (clock(databases) + ONE_DAY, 0)):
        asked = ComandoDisminuirStock(
            comando.id_producto, comando.id_orden, 1, "Calle 1", comando.transaction_id, vence=vence
        )
        engine._process_batch([received(asked)])
        assert databases.sql("productos", "select stock from productos") == [(stock,)]
