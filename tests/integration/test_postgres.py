"""Values on their way to PostgreSQL.

Longer than 200 lines: it mirrors one module, whose connection all its tests look into.
"""

import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from unittest.mock import Mock
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pg8000 import core

from functions.engine.receipts import is_duplicate
from functions.postgres.connection import connect
from functions.postgres.errors import is_transient
from tests.support.platform import Platform

TEXT_WITHOUT_NUL = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
TIME_ZONES = st.sampled_from([UTC, timezone(timedelta(hours=-5)), timezone(timedelta(hours=5, minutes=45))])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "uuid": st.uuids().map(str),
    "int": st.integers(-(2**31), 2**31 - 1),
    "boolean": st.booleans(),
    "text": TEXT_WITHOUT_NUL | st.sampled_from(["NULL", "null", "{}", '"', "\\", '\\"', ",", " ", "", "a,b", "{a}"]),
    "bytea": st.binary(),
    "timestamptz": st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=TIME_ZONES),
}


@pytest.fixture(scope="module")
def engine(postgres: Platform) -> Iterator[sa.Engine]:
    config = {"DB_NAME": "ordenes", "DB_HOSTNAME": "127.0.0.1", "DB_PORT": float(postgres.postgres_port)}
    opened = connect(config, postgres.password("ordenes"), "pruebas")
    yield opened
    opened.dispose()


@pytest.mark.parametrize("sql_type", VALUES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_every_list_arrives_as_it_is(engine: sa.Engine, sql_type: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.none() | VALUES[sql_type], max_size=5))
    query = sa.text(
        f"select valor from unnest(cast(:valores as {sql_type}[])) with ordinality as u(valor, n) order by n"
    )
    with engine.connect() as connection:
        read_back = connection.execute(query, {"valores": values}).scalars().all()
    assert read_back == values
    assert not values or {type(one) for one in read_back} <= {int, bool, str, bytes, datetime, type(None)}


def test_the_end_of_a_big_statement_does_not_wait_for_an_acknowledgement(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        sock: socket.socket = connection.connection.dbapi_connection._usock  # type: ignore[union-attr]
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.gettimeout() == 60


@pytest.mark.parametrize("impossible", [[object()], "\ud800"])
def test_after_a_value_that_cannot_be_written_each_statement_gets_its_own_answer(
    engine: sa.Engine, impossible: object
) -> None:
    with pytest.raises((KeyError, UnicodeEncodeError)), engine.begin() as tx:
        tx.execute(sa.text("select cast(:valor as text)"), {"valor": impossible})
    for number in range(3):
        with engine.begin() as tx:
            assert tx.execute(sa.text(f"select {number}")).scalar_one() == number


def test_an_error_that_the_server_answers_costs_no_connection(engine: sa.Engine) -> None:
    def process() -> int:
        with engine.begin() as tx:
            return int(tx.execute(sa.text("select pg_backend_pid()")).scalar_one())

    before = process()
    with pytest.raises(sa.exc.DBAPIError), engine.begin() as tx:
        tx.execute(sa.text("select 1 / 0"))
    assert process() == before


@pytest.mark.parametrize("change", ["alter table cambiante alter valor type text", "deallocate all"])
def test_a_statement_that_is_not_as_prepared_any_more_is_prepared_again(
    engine: sa.Engine, postgres: Platform, change: str
) -> None:
    def read(before: str = "select 1") -> str:
        with engine.begin() as tx:
            tx.execute(sa.text(before))
            query = sa.text("select valor from cambiante where clave = :clave")
            return str(tx.execute(query, {"clave": 1}).scalar_one())

    postgres.sql("ordenes", "create table cambiante as select 1 as clave, 7 as valor")
    try:
        postgres.sql("ordenes", "grant select on cambiante to ordenes")
        engine.dispose()
        assert read() == "7"
        if change.startswith("alter"):
            postgres.sql("ordenes", change)
        with pytest.raises(sa.exc.DBAPIError) as raised:
            read("deallocate all" if change == "deallocate all" else "select 1")
        assert is_transient(raised.value)
        assert read() == "7"
    finally:
        postgres.sql("ordenes", "drop table cambiante")


def test_a_statement_is_prepared_once(engine: sa.Engine) -> None:
    with engine.begin() as tx:
        for number in range(3):
            assert tx.execute(sa.text("select cast(:n as int) + 1"), {"n": number}).scalar_one() == number + 1
        prepared = tx.execute(sa.text("select count(*) from pg_prepared_statements where statement like '%+ 1'"))
        assert prepared.scalar_one() == 1


@pytest.mark.parametrize("first", ["select 1", "select cast(:n as int)"], ids=["without", "with parameters"])
def test_the_first_statement_of_a_transaction_is_part_of_it(engine: sa.Engine, first: str) -> None:
    parameters = {"n": 1} if ":n" in first else {}
    create = "with hecha as (select set_config('prueba.valor', :valor, true)) select 1 from hecha"
    for _ in range(2):  # what is prepared, and what is not yet
        with engine.connect() as connection:
            connection.execute(sa.text(first), parameters)
            connection.execute(sa.text(create), {"valor": "dentro"})
            read = sa.text("select current_setting('prueba.valor', true)")
            assert connection.execute(read).scalar_one() == "dentro"  # until the end of the transaction
            connection.rollback()
            assert not connection.execute(read).scalar_one()


def test_a_first_statement_that_fails_undoes_its_transaction_and_the_next_one_begins(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        divide = sa.text("select 1 / cast(:n as int)")
        for _ in range(2):
            with pytest.raises(sa.exc.DBAPIError, match="division by zero"):
                connection.execute(divide, {"n": 0})
            connection.rollback()
            assert connection.execute(divide, {"n": 1}).scalar_one() == 1
            connection.commit()


INSERT = sa.text("insert into recibos (funcion, id_mensaje, salidas) values (:funcion, cast(:id as uuid), '')")
COUNT_RECEIPTS = sa.text("select count(*) from recibos where funcion = :funcion")


@pytest.fixture
def clean_receipts(postgres: Platform) -> Iterator[None]:
    yield
    postgres.sql("ordenes", "delete from recibos where funcion like 'prueba%'")


def write(connection: sa.Connection, function: str, id_mensaje: UUID | None = None) -> None:
    connection.execute(INSERT, {"funcion": function, "id": str(id_mensaje or uuid4())})


def count(connection: sa.Connection, function: str) -> int:
    return int(connection.execute(COUNT_RECEIPTS, {"funcion": function}).scalar_one())


@pytest.mark.usefixtures("clean_receipts")
def test_what_has_no_rows_to_give_goes_with_what_has_or_with_commit(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.connect() as connection:
        write(connection, "prueba")
        assert count(connection, "prueba") == 1
        connection.commit()  # all is prepared
        round_trips = Mock(wraps=core._flush)
        monkeypatch.setattr(core, "_flush", round_trips)
        write(connection, "prueba")
        write(connection, "prueba")
        assert round_trips.call_count == 0
        assert count(connection, "prueba") == 3
        assert round_trips.call_count == 1
        write(connection, "prueba")
        connection.commit()
        assert round_trips.call_count == 2
        assert count(connection, "prueba") == 4


@pytest.mark.usefixtures("clean_receipts")
@pytest.mark.parametrize(
    "after",
    [
        pytest.param(sa.Connection.commit, id="commit"),
        pytest.param(lambda connection: count(connection, "prueba"), id="rows"),
        pytest.param(lambda connection: connection.execute(sa.text("select 1")), id="no parameters"),
    ],
)
def test_what_fails_on_its_way_with_others_undoes_them_all_and_is_said(
    engine: sa.Engine, after: Callable[[sa.Connection], object]
) -> None:
    duplicate = uuid4()
    with engine.connect() as connection:
        write(connection, "prueba", duplicate)
        connection.commit()
        process = connection.execute(sa.text("select pg_backend_pid()")).scalar_one()
        connection.rollback()
        for _ in range(2):
            write(connection, "prueba")
            write(connection, "prueba", duplicate)
            write(connection, "prueba")
            with pytest.raises(sa.exc.DBAPIError, match="duplicate key") as raised:
                after(connection)
            assert is_duplicate(raised.value)
            assert not is_transient(raised.value)
            connection.rollback()
            assert count(connection, "prueba") == 1
            assert connection.execute(sa.text("select pg_backend_pid()")).scalar_one() == process
            connection.rollback()


@pytest.mark.usefixtures("clean_receipts")
@pytest.mark.parametrize("before", [[], ["select 1"]], ids=["nothing sent yet", "something sent"])
def test_what_is_kept_is_forgotten_with_its_transaction(engine: sa.Engine, before: list[str]) -> None:
    def fail() -> None:
        with engine.begin() as tx:
            for statement in before:
                tx.execute(sa.text(statement))
            write(tx, "prueba")
            raise ZeroDivisionError

    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            fail()
        with engine.begin() as tx:
            write(tx, "prueba otra")
        with engine.begin() as tx:
            assert count(tx, "prueba") == 0
    with engine.begin() as tx:
        assert count(tx, "prueba otra") == 2


@pytest.mark.usefixtures("clean_receipts")
def test_a_connection_that_dies_before_commit_is_an_error_and_is_made_again(
    engine: sa.Engine, postgres: Platform
) -> None:
    with engine.begin() as tx:
        write(tx, "prueba")
    with pytest.raises(sa.exc.DBAPIError) as raised, engine.begin() as tx:  # noqa: PT012
        process = tx.execute(sa.text("select pg_backend_pid()")).scalar_one()
        write(tx, "prueba")
        postgres.sql("postgres", "select pg_terminate_backend(:process, 5000)", process=process)
    assert is_transient(raised.value)
    with engine.begin() as tx:
        assert count(tx, "prueba") == 1


@pytest.mark.usefixtures("clean_receipts")
def test_what_is_kept_and_not_prepared_any_more_is_an_error_of_commit_and_is_prepared_again(engine: sa.Engine) -> None:
    with engine.begin() as tx:
        write(tx, "prueba")
    with pytest.raises(sa.exc.DBAPIError, match="does not exist") as raised, engine.begin() as tx:  # noqa: PT012
        tx.execute(sa.text("deallocate all"))
        write(tx, "prueba")
    assert is_transient(raised.value)
    with engine.begin() as tx:
        write(tx, "prueba")
        assert count(tx, "prueba") == 2
