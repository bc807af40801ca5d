"""A standby that becomes the primary: functions, BFF and scripts that know both servers go on with it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest

from bff.backends.read_models import DATABASES, DatabaseUnavailable
from functions.engine.engine import Engine
from functions.ordenes.crear_orden import CrearOrden as Function
from functions.telemetry.metrics import INFRASTRUCTURE_FAILURES
from tests.support.data import make_orden
from tests.support.engines import configuration, wait_for_acks
from tests.support.fake_pulsar import FakeContext, received
from tests.support.platform import ROOT, wait_for
from tests.support.postgres_clients import function, read_models, script
from tests.support.postgres_cluster import Pair, pair


@pytest.fixture
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with pair(tmp_path_factory.mktemp("servers")) as servers:
        yield servers


def engine_of(servers: Pair) -> tuple[Engine, FakeContext]:
    """crear-orden on these two servers."""
    env = servers.env()
    where = {name: env[name] for name in ("DB_HOSTNAME", "DB_PORT")}
    context = FakeContext(
        "ordenes", "crear-orden", configuration("crear-orden")["userConfig"] | where, env["DB_PASSWORD_ORDENES"]
    )
    return Engine(Function(), context), context


def run(program: str, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DB_")}
    return subprocess.run(
        [sys.executable, "-m", program], cwd=ROOT, env={**inherited, **env}, capture_output=True, text=True, check=False
    )


def test_all_go_on_with_the_standby_once_it_is_the_primary(servers: Pair) -> None:
    engine, context = engine_of(servers)
    models = read_models(servers.env())
    try:
        engine.receive(received(make_orden()))
        wait_for_acks(context, 1)
        for database in DATABASES:
            models.check(database)
        servers.wait_until_equal()
        servers.primary.kill()
        for _ in range(10):
            engine.receive(received(make_orden()))
        wait_for("tries", lambda: context.metrics[INFRASTRUCTURE_FAILURES] >= 3, timeout=60)
        with pytest.raises(DatabaseUnavailable, match="it is a standby"):
            models.check("saga")
        assert run("deployment.databases.prune", servers.env()).returncode == 1
        assert len(context.acks) == 1

        assert servers.replica.sql("postgres", "select pg_promote()") == [(True,)]
        wait_for_acks(context, 11)
        for database in DATABASES:
            models.check(database)
        for program in ("deployment.databases", "deployment.databases.prune"):
            done = run(program, servers.env())
            assert done.returncode == 0, done.stderr
    finally:
        engine.stop()
    assert servers.replica.sql("ordenes", "select count(*), min(estado), max(estado) from ordenes") == [
        (11, "creada", "creada")
    ]
    assert not any(topic.endswith("-dlq") for topic, _, _ in context.client.published)


def test_a_server_that_became_read_only_is_left(servers: Pair) -> None:
    engine, context = engine_of(servers)
    try:
        engine.receive(received(make_orden()))
        wait_for_acks(context, 1)
        servers.wait_until_equal()
        for statement in ("alter system set default_transaction_read_only = on", "select pg_reload_conf()"):
            servers.primary.sql("postgres", statement)
        wait_for("read-only", lambda: servers.primary.sql("postgres", "show transaction_read_only") == [("on",)])
        engine.receive(received(make_orden()))
        assert servers.replica.sql("postgres", "select pg_promote()") == [(True,)]
        wait_for_acks(context, 2)
    finally:
        engine.stop()
    counts = [server.sql("ordenes", "select count(*) from ordenes") for server in (servers.primary, servers.replica)]
    assert counts == [[(1,)], [(2,)]]
    assert not any(topic.endswith("-dlq") for topic, _, _ in context.client.published)
    for client in (function, script):
        assert client(servers.env()) == servers.replica.port


def test_values_that_can_not_be_used_are_an_error_in_a_line() -> None:
    for config, start in (
        ({"DB_HOSTNAME": "a,,b"}, "error: DB_HOSTNAME is 'a,,b': it must be"),
        ({"DB_HOSTNAME": "a,b", "DB_PORT": "1,2,3"}, "error: DB_PORT is '1,2,3': these are 3 ports"),
    ):
        for program in ("deployment.databases", "deployment.databases.prune", "bff"):
            done = run(program, {"DB_ADMIN_PASSWORD": "x", **config})
            assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), done.stderr
            assert done.stderr.startswith(start)
