"""The databases are UTF-8 whatever the server is."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from deployment.databases.names import DATABASES
from functions.postgres.connection import connect
from tests.support.postgres_cluster import Cluster, cluster

ENCODINGS = "select datname, pg_encoding_to_char(encoding) from pg_database where datname <> 'template0'"


@pytest.fixture(scope="module", params=["SQL_ASCII", "LATIN1"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A server of another encoding, as without a locale at its installation."""
    with cluster(tmp_path_factory.mktemp("server"), ["--locale=C", f"--encoding={request.param}"]) as server:
        assert {encoding for _, encoding in server.sql("postgres", ENCODINGS)} == {request.param}
        yield server


def test_a_database_in_another_encoding_is_refused_and_nothing_changed(server: Cluster) -> None:
    server.sql("postgres", "create database productos")
    try:
        done = server.set_up()
        assert done.returncode == 1
        assert "error: database productos has the encoding " in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
        assert server.sql("postgres", "select 1 from pg_roles where rolname = 'ordenes'") == []
    finally:
        server.sql("postgres", "drop database productos")


def test_the_databases_are_utf8_and_keep_every_name(server: Cluster) -> None:
    for _ in range(2):
        done = server.set_up()
        assert done.returncode == 0, done.stderr
    encodings = dict(server.sql("postgres", ENCODINGS))
    assert {encodings[database] for database in DATABASES} == {"UTF8"}
    config = {"DB_NAME": "productos", "DB_HOSTNAME": "127.0.0.1", "DB_PORT": server.port}
    engine = connect(config, server.env["DB_PASSWORD_PRODUCTOS"], "test")
    with engine.begin() as tx:
        assert tx.execute(sa.text("select lower(:name)"), {"name": "PEÑA 日本 🙂"}).scalar_one() == "peña 日本 🙂"
    engine.dispose()
