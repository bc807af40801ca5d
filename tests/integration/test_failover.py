"""A primary that becomes read-only while its address leads to a new one: nobody stays with the old one."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from bff.backends import read_models
from deployment.databases.admin import ROLES
from functions.engine.engine import Engine
from functions.messages.ids import new
from functions.ordenes.crear_orden import CrearOrden as Function
from functions.postgres import connection
from tests.support.data import make_orden
from tests.support.engines import context, wait_for_acks
from tests.support.fake_pulsar import received
from tests.support.platform import Platform, wait_for
from tests.support.postgres_cluster import Cluster, cluster
from tests.support.postgres_servers import forward_to, listening
from tests.support.reading import reading


class Address:
    """Leads new connections to `port`; those that are there stay where they are."""

    def __init__(self, port: int) -> None:
        self.port = port


@pytest.fixture(scope="module")
def old_primary(postgres: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Another server with all databases and the platform's passwords."""
    with cluster(tmp_path_factory.mktemp("old")) as server:
        done = server.set_up(**{f"DB_PASSWORD_{role.upper()}": postgres.password(role) for role in ROLES})
        assert done.returncode == 0, done.stderr
        yield server


@pytest.fixture
def address(old_primary: Cluster) -> Iterator[tuple[Address, int]]:
    """What the programs connect to, and its port."""
    address = Address(old_primary.port)
    with listening(lambda client: forward_to(address.port)(client)) as port:
        yield address, port


def test_a_function_goes_on_with_the_new_primary(
    databases: Platform,
    old_primary: Cluster,
    address: tuple[Address, int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    own_context = context(databases, "crear-orden")
    own_context.config["DB_PORT"] = float(address[1])
    engine = Engine(Function(), own_context)
    try:
        engine.receive(received(make_orden()))
        wait_for_acks(own_context, 1)
        for statement in ("alter system set default_transaction_read_only = on", "select pg_reload_conf()"):
            old_primary.sql("postgres", statement)
        wait_for("it", lambda: old_primary.sql("postgres", "show default_transaction_read_only") == [("on",)])
        engine.receive(received(make_orden()))
        wait_for("the refusal", lambda: any("read-only transaction" in line for line in caplog.messages))
        address[0].port = databases.postgres_port
        wait_for_acks(own_context, 2)
    finally:
        engine.stop()
    assert databases.sql("ordenes", "select count(*) from ordenes") == [(1,)]
    assert old_primary.sql("ordenes", "select count(*) from ordenes") == [(1,)]
    assert not any(topic.endswith("-dlq") for topic, _, _ in own_context.client.published)


def test_the_bff_reads_from_the_new_primary_once_its_connections_are_old(
    databases: Platform, address: tuple[Address, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    password, row_id = databases.password("bff"), new()
    databases.sql(
        "ordenes_lectura",
        "insert into ordenes values (:id, :id, 'ana', now(), 2, 'Calle 45', 'creada', null, null, :id, 1)",
        id=row_id,
    )

    young = reading(address[1], password)
    monkeypatch.setattr(read_models, "MAX_AGE", 0)
    old = reading(address[1], password)
    assert young.orden(row_id) is None
    assert old.orden(row_id) is None
    address[0].port = databases.postgres_port
    assert young.orden(row_id) is None
    assert old.orden(row_id) is not None


def test_connections_of_functions_are_made_anew_when_they_are_old(
    postgres: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def processes(max_age: float) -> set[int]:
        monkeypatch.setattr(connection, "MAX_AGE", max_age)
        config = {"DB_NAME": "ordenes", "DB_HOSTNAME": "127.0.0.1", "DB_PORT": postgres.postgres_port}
        engine = connection.connect(config, postgres.password("ordenes"), "test")
        found = set()
        for _ in range(3):
            with engine.begin() as tx:
                found.add(tx.execute(sa.text("select pg_backend_pid()")).scalar_one())
        engine.dispose()
        return found

    assert connection.MAX_AGE <= 300
    assert len(processes(connection.MAX_AGE)) == 1
    assert len(processes(0)) == 3


@pytest.mark.parametrize(
    ("sqlstate", "kept"),
    [
        ("25006", False),  # read-only
        ("57P01", False),
        ("57P03", False),
        ("57P04", False),
        ("08P01", False),  # of a pooler
        ("0A000", False),
        ("53200", False),
        ("58030", False),
        ("XX001", False),
        ("42P01", False),  # on a server that was not migrated
        ("22012", True),
        ("23505", True),
        ("P0001", True),
        ("40001", True),
        ("40P01", True),
        ("55P03", True),
        ("57014", True),
    ],
)
def test_an_error_that_another_connection_may_be_spared_costs_this_one(
    postgres: Platform, sqlstate: str, kept: bool
) -> None:
    config = {"DB_NAME": "ordenes", "DB_HOSTNAME": "127.0.0.1", "DB_PORT": postgres.postgres_port}
    engine = connection.connect(config, postgres.password("ordenes"), "test")

    def process() -> int:
        with engine.begin() as tx:
            return int(tx.execute(sa.text("select pg_backend_pid()")).scalar_one())

    before = process()
    with pytest.raises(sa.exc.DBAPIError, match=sqlstate), engine.begin() as tx:
        tx.execute(sa.text(f"do $$ begin raise exception 'planted' using errcode = '{sqlstate}'; end $$"))
    assert (process() == before) == kept
    engine.dispose()


def test_behind_a_pooler_a_statement_of_another_client_is_never_taken_for_ones_own(postgres: Platform) -> None:
    """A pooler with transaction pooling gives one client's next statement to a connection on which another client has
    prepared its own: here two connections change places.
    """
    config = {"DB_NAME": "ordenes", "DB_HOSTNAME": "127.0.0.1", "DB_PORT": postgres.postgres_port}
    engines = [connection.connect(config, postgres.password("ordenes"), "test") for _ in range(2)]
    first, second = (engine.connect() for engine in engines)
    mine, other = sa.text("select 'mine' where 1 = :n"), sa.text("select 'other' where 1 = :n")
    assert first.execute(mine, {"n": 1}).scalars().all() == ["mine"]
    assert second.execute(other, {"n": 1}).scalars().all() == ["other"]
    for each in (first, second):
        each.commit()
    sessions = [each.connection.dbapi_connection for each in (first, second)]
    for name in ("_sock", "_usock"):
        values = [getattr(session, name) for session in sessions]
        for session, value in zip(sessions, reversed(values), strict=True):
            setattr(session, name, value)
    with pytest.raises(sa.exc.DBAPIError, match="does not exist"):
        first.execute(mine, {"n": 1})
    with pytest.raises(sa.exc.DBAPIError, match="does not exist"):
        second.execute(other, {"n": 1})
    for engine in engines:
        engine.dispose()
