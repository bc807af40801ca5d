"""Every password changes while everything works: the recipe of docs/operating.md."""

from collections.abc import Iterator

import pytest

from bff.backends import read_models
from bff.backends.read_models import DatabaseUnavailable
from functions.engine.engine import Engine
from functions.ordenes.crear_orden import CrearOrden as Function
from functions.postgres import connection
from tests.support.data import make_orden
from tests.support.engines import configuration, wait_for_acks
from tests.support.fake_pulsar import FakeClient, FakeContext, received
from tests.support.postgres_cluster import Cluster, cluster
from tests.support.reading import reading


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("server")) as server:
        done = server.set_up()
        assert done.returncode == 0, done.stderr
        yield server


class Users:
    """A function and a BFF, started with these secrets, that make each connection anew."""

    def __init__(self, server: Cluster, secrets: dict[str, str]) -> None:
        config = configuration("crear-orden")["userConfig"] | {"DB_HOSTNAME": "127.0.0.1", "DB_PORT": server.port}
        self._context = FakeContext("ordenes", "crear-orden", config, secrets["DB_PASSWORD_ORDENES"], FakeClient())
        self._engine = Engine(Function(), self._context)
        self._read_models = reading(server.port, secrets["DB_PASSWORD_BFF"])

    def work(self) -> None:
        """An order is created, and the read models are read; each at the first try."""
        self._engine.receive(received(make_orden()))
        wait_for_acks(self._context, len(self._context.acks) + 1)
        for database in read_models.DATABASES:
            self._read_models.check(database)

    def end(self) -> None:
        self._engine.stop()


def test_passwords_change_without_a_moment_in_which_somebody_is_locked_out(
    server: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for module in (connection, read_models):
        monkeypatch.setattr(module, "MAX_AGE", 0)
    old = {name: value for name, value in server.env.items() if "PASSWORD" in name}
    both = {name: f"new {value}\n{value}" for name, value in old.items()}
    new = {name: f"new {value}" for name, value in old.items()}

    before = Users(server, old)
    before.work()
    during = Users(server, both)  # step 1: restarted with both
    during.work()
    before.end()
    done = server.set_up(**both)  # step 2
    assert done.returncode == 0, done.stderr
    assert "role postgres: has the first of its two passwords" in done.stdout
    assert not any(password in done.stdout for password in old.values())
    during.work()
    assert server.set_up(**both).returncode == 0  # again, as after a crash
    during.work()
    after = Users(server, new)  # step 3: the old ones are gone
    during.end()
    after.work()
    after.end()
    assert not [line for line in caplog.messages if "infrastructure" in line]

    assert server.set_up(**new).returncode == 0
    refused = server.set_up(**old)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "password authentication failed" in refused.stderr
    with pytest.raises(DatabaseUnavailable, match="password authentication failed"):
        reading(server.port, old["DB_PASSWORD_BFF"]).check("saga")
    assert server.sql("postgres", "select 1", new["DB_ADMIN_PASSWORD"]) == [(1,)]
