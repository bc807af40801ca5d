"""The engine when PostgreSQL is in trouble: nothing is lost, nothing is quarantined, and it goes on by itself."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from deployment.databases.admin import ROLE_SETTINGS
from functions.engine.handler import BATCH_SIZE
from functions.messages.payloads import ComandoCrearOrden
from functions.ordenes.crear_orden import CrearOrden as Function
from functions.postgres import connection
from tests.support.data import make_orden
from tests.support.engines import StartEngine, is_waiting_for_lock, wait_for_acks
from tests.support.fake_pulsar import FakeContext, received
from tests.support.platform import Platform, wait_for

PEDIR_STOCK = "productos/comando-disminuir-stock"
CREATE_FAULT = """
    create function fallar() returns trigger language plpgsql as $$
    begin raise exception 'planted' using errcode = '{sqlstate}'; end $$;
    create trigger fallar before insert on ordenes for each row {when_clause} execute function fallar()"""
DROP_FAULT = "drop trigger fallar on ordenes; drop function fallar()"


@contextmanager
def trigger(databases: Platform, sqlstate: str, when_clause: str = "") -> Iterator[None]:
    """Every order that is inserted fails with this SQLSTATE."""
    for statement in CREATE_FAULT.format(sqlstate=sqlstate, when_clause=when_clause).rsplit(";", 1):
        databases.sql("ordenes", statement)
    try:
        yield
    finally:
        for statement in DROP_FAULT.split(";"):
            databases.sql("ordenes", statement)


def ordenes(databases: Platform) -> int:
    return int(databases.sql("ordenes", "select count(*) from ordenes")[0][0])


def no_dead_letters(context: FakeContext) -> bool:
    return not any(topic.endswith("-dlq") for topic, _, _ in context.client.published)


@pytest.mark.parametrize(
    "sqlstate", ["53100", "53200", "53300", "40001", "40P01", "55P03", "57014", "57P01", "08006", "42P01", "58030"]
)
def test_a_database_in_trouble_is_waited_for(
    databases: Platform, start_engine: StartEngine, caplog: pytest.LogCaptureFixture, sqlstate: str
) -> None:
    """Full disk, out of memory, too many connections, serialization, deadlock, lock, statement, shutdown, …"""
    running_engine, context = start_engine(Function(), "crear-orden")
    failures = "select xact_rollback from pg_stat_database where datname = 'ordenes'"
    with trigger(databases, sqlstate):
        before = databases.sql("ordenes", failures)[0][0]
        for _ in range(3):
            running_engine.receive(received(make_orden()))
        wait_for("a few tries", lambda: databases.sql("ordenes", failures)[0][0] >= before + 3)
        assert (context.acks, context.client.published) == ([], [])
    wait_for_acks(context, 3)
    assert ordenes(databases) == 3
    assert no_dead_letters(context)
    outages = [line for line in caplog.messages if line.startswith("infrastructure away")]
    recoveries = [line for line in caplog.messages if line.startswith("infrastructure is back")]
    assert 1 <= len(outages) == len(recoveries) <= 3, "one line for each change, not for each try"


@pytest.mark.parametrize("sqlstate", ["54000", "22003", "23514", "21000", "P0001"])
def test_a_value_that_no_retry_can_mend_is_quarantined_alone(
    databases: Platform, start_engine: StartEngine, sqlstate: str
) -> None:
    running_engine, context = start_engine(Function(), "crear-orden")
    with trigger(databases, sqlstate, "when (new.cantidad = 13)"):
        running_engine._process_batch([received(make_orden(cantidad=number)) for number in range(5, 25)])
    assert (len(context.acks), ordenes(databases)) == (20, 19)
    [dead_letter] = [properties for topic, _, properties in context.client.published if topic.endswith("-dlq")]
    assert "planted" in dead_letter["dlq-reason"]


def test_two_engines_that_deadlock_both_end_their_work(databases: Platform, start_engine: StartEngine) -> None:
    """A real deadlock, with a transaction that takes the same rows the other way round."""
    first, second = sorted((make_orden() for _ in range(2)), key=lambda orden: orden.id_orden)
    running_engine, context = start_engine(Function(), "crear-orden")
    running_engine._process_batch([received(orden) for orden in (first, second)])
    lock_row = sa.text("select 1 from ordenes where id_orden = :id for update")
    with databases.engine("ordenes").connect() as other:
        other.execute(lock_row, {"id": second.id_orden})
        running_engine.receive(received(first))
        running_engine.receive(received(second))
        wait_for("the engine waits for the lock", lambda: is_waiting_for_lock(databases, "crear-orden"))
        other.execute(sa.text("set deadlock_timeout = '1h'"))  # the engine is the one that finds it, and the victim
        other.execute(lock_row, {"id": first.id_orden})
        other.rollback()
    wait_for_acks(context, 4)
    assert (ordenes(databases), no_dead_letters(context)) == (2, True)


@pytest.mark.parametrize("setting", ["lock_timeout", "statement_timeout"])
def test_a_locked_row_holds_up_its_own_message_only(
    databases: Platform, start_engine: StartEngine, setting: str
) -> None:
    """The batch is halved until the one that waits is alone; the others are through."""
    locked, others = make_orden(), [make_orden() for _ in range(7)]
    running_engine, context = start_engine(Function(), "crear-orden")
    running_engine._process_batch([received(locked)])
    databases.sql("postgres", f"alter role ordenes set {setting} = '200ms'")
    terminate = "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'crear-orden'"
    databases.sql("postgres", terminate)
    try:
        with databases.engine("ordenes").connect() as blocker:
            blocker.execute(sa.text("select 1 from ordenes for update"))
            batch = [received(orden) for orden in [*others[:3], locked, *others[3:]]]
            thread = threading.Thread(target=running_engine._process_batch, args=(batch,), daemon=True)
            thread.start()
            wait_for("the messages before the locked one", lambda: ordenes(databases) >= 4)
            assert thread.is_alive()
            blocker.rollback()
        thread.join(30)
        assert not thread.is_alive()
    finally:
        databases.sql("postgres", f"alter role ordenes set {setting} = '{ROLE_SETTINGS[setting]}'")
    assert (len(context.acks), ordenes(databases), no_dead_letters(context)) == (9, 8, True)


def test_a_database_that_hangs_is_given_up_and_tried_again(
    databases: Platform, start_engine: StartEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "TIMEOUT", 1)
    running_engine, context = start_engine(Function(), "crear-orden")
    running_engine.receive(received(make_orden()))
    wait_for_acks(context, 1)
    [(pid,)] = databases.sql("postgres", "select pid from pg_stat_activity where application_name = 'crear-orden'")
    os.kill(pid, signal.SIGSTOP)
    try:
        running_engine.receive(received(make_orden()))
        wait_for_acks(context, 2)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (ordenes(databases), no_dead_letters(context)) == (2, True)


def test_a_pool_without_a_free_connection_is_waited_for(
    databases: Platform, start_engine: StartEngine, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    running_engine, context = start_engine(Function(), "crear-orden")
    monkeypatch.setattr(running_engine._database.pool, "_timeout", 0.1)
    with running_engine._database.connect():
        running_engine.receive(received(make_orden()))
        wait_for("the warning", lambda: any("QueuePool limit" in line for line in caplog.messages))
        assert context.acks == []
    wait_for_acks(context, 1)


def test_a_batch_is_bounded_whatever_waits(databases: Platform, start_engine: StartEngine) -> None:
    running_engine, context = start_engine(Function(), "crear-orden")
    sizes: list[int] = []
    original = running_engine._function.handle_new

    def count(tx: sa.Connection, batch: list[ComandoCrearOrden]) -> object:
        sizes.append(len(batch))
        return original(tx, batch)

    running_engine._function.handle_new = count  # type: ignore[method-assign,assignment]
    for _ in range(3 * BATCH_SIZE):
        running_engine.receive(received(make_orden()))
    wait_for_acks(context, 3 * BATCH_SIZE)
    assert max(sizes) <= BATCH_SIZE
