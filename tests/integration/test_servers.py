"""Several PostgreSQL servers, of which one is the primary: functions, BFF and scripts find it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bff.backends.read_models import DatabaseUnavailable
from deployment.databases import admin
from functions.postgres import connection, session
from functions.postgres.errors import is_transient
from functions.postgres.session import Session, open_as
from tests.support.certificates import Authority
from tests.support.postgres_clients import CLIENTS, FAILURES, Client, environment
from tests.support.postgres_cluster import Cluster, Pair, pair
from tests.support.postgres_servers import Talk, authentication, forward_to, listening, tls_of


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pair(tmp_path_factory.mktemp("servers")) as servers:
        servers.wait_until_equal()
        yield servers


@CLIENTS
@pytest.mark.parametrize("first", ["primary", "replica"])
def test_a_standby_is_passed_over(client: Client, first: str, servers: Pair) -> None:
    ports = [servers.primary.port, servers.replica.port]
    assert client(servers.env(*(ports if first == "primary" else ports[::-1]))) == servers.primary.port


@CLIENTS
def test_where_no_server_is_the_primary_each_is_named_and_no_message_blamed(client: Client, servers: Pair) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        closed = unused.getsockname()[1]
    port = servers.replica.port
    expected = rf"none of the servers is the primary now: 127.0.0.1:{port}: it is a standby; 127.0.0.1:{closed}: Can't"
    with pytest.raises(FAILURES, match=expected) as raised:
        client(servers.env(port, closed))
    assert isinstance(raised.value, DatabaseUnavailable) or is_transient(raised.value)


@CLIENTS
def test_one_server_alone_is_taken_as_it_is(client: Client, servers: Pair) -> None:
    assert client(servers.env(servers.replica.port)) == servers.replica.port


@pytest.mark.parametrize("count", [1, 2])
def test_to_find_out_costs_no_round_trip(count: int, servers: Pair) -> None:
    asked = []

    class Counting(Session):
        def execute_simple(self, statement: str) -> Any:
            asked.append(statement)
            return super().execute_simple(statement)

    with environment(servers.env(*[servers.primary.port, servers.replica.port][:count])):
        url = admin.connect("saga").url
    engine = open_as(Counting, sa.create_engine(url, connect_args={"timeout": 60}, poolclass=sa.NullPool))
    with closing(engine.raw_connection()):
        asked.clear()  # of its first connection SQLAlchemy itself asks more
    with closing(engine.raw_connection()):
        assert len(asked) == 1
    assert ("pg_is_in_recovery" in asked[0]) == (count > 1)


@contextmanager
def silent(last_words: bytes = b"") -> Iterator[tuple[int, Callable[[], int]]]:
    """The port of a server that takes connections and says nothing more, and how many it has got."""
    clients = []
    end = threading.Event()

    def talk(client: socket.socket) -> None:
        clients.append(client)
        client.sendall(last_words)
        end.wait()

    with listening(talk) as port:
        try:
            yield port, lambda: len(clients)
        finally:
            end.set()


def silent_after_the_login() -> AbstractContextManager[tuple[int, Callable[[], int]]]:
    return silent(authentication(0) + b"Z\0\0\0\5I")


@contextmanager
def gone() -> Iterator[tuple[int, Callable[[], int]]]:
    """A port that does not even answer that it is closed, as of a machine without power."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, ExitStack() as stack:
        while True:
            client = stack.enter_context(socket.socket())
            client.settimeout(0.2)
            try:
                client.connect(server.getsockname())
            except TimeoutError:
                break
        yield server.getsockname()[1], lambda: 1


@CLIENTS
@pytest.mark.parametrize("dead", [silent, silent_after_the_login, gone])
def test_a_server_that_does_not_answer_costs_its_time_once(
    client: Client, dead: Any, servers: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a function a statement may take a minute, but not to connect."""
    assert session.PATIENCE <= 3
    monkeypatch.setattr(session, "PATIENCE", 1)
    with dead() as (port, tries):
        env = servers.env(port, servers.primary.port)
        for _ in range(3):
            assert client(env) == servers.primary.port
        assert tries() == 1


def test_a_connection_to_a_machine_that_is_gone_ends_soon_and_a_statement_may_take_its_time(servers: Pair) -> None:
    config = {"DB_NAME": "saga", **servers.env()}
    engine = connection.connect(config, config["DB_PASSWORD_SAGA"], "test")
    with engine.connect() as opened:
        connected: Any = opened.connection.dbapi_connection._usock  # type: ignore[union-attr]
        options = [socket.TCP_USER_TIMEOUT, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL]
        assert [connected.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [3000, 3, 1]
        assert connected.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert connected.gettimeout() == connection.TIMEOUT
    engine.dispose()


@CLIENTS
def test_each_certificate_must_be_for_the_name_of_its_own_server(client: Client, servers: Pair, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    with ExitStack() as stack:

        def behind_tls(hostname: str, server: Cluster) -> int:
            forward: Talk = forward_to(server.port)
            return stack.enter_context(listening(forward, tls_of(authority.issue(hostname))))

        ports = behind_tls("127.0.0.1", servers.replica), behind_tls("localhost", servers.primary)
        root = str(authority.root)
        right = servers.env(*ports, hostnames=["127.0.0.1", "localhost"], DB_SSLROOTCERT=root)
        assert client(right) == servers.primary.port
        wrong = servers.env(*ports, hostnames=["localhost", "127.0.0.1"], DB_SSLROOTCERT=root)
        with pytest.raises(FAILURES, match=r"mismatch.*mismatch"):
            client(wrong)
        assert client({**wrong, "DB_SSLMODE": "verify-ca"}) == servers.primary.port
