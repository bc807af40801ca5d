"""PostgreSQL over TLS: who is spoken to, by functions, BFF and scripts."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bff.backends.read_models import DatabaseUnavailable
from deployment.databases import admin
from deployment.databases.names import BFF_DATABASES
from functions.postgres.errors import is_transient
from tests.support.certificates import Authority
from tests.support.platform import ROOT, Platform
from tests.support.postgres_clients import CLIENTS, FAILURES, Client, environment
from tests.support.postgres_cluster import PASSWORD, cluster
from tests.support.postgres_servers import forward_to, listening, tls_of


class Server:
    """A server whose certificate is for 127.0.0.1 only."""

    def __init__(self, port: int, authority: Authority, passwords: Mapping[str, str], stranger: Path) -> None:
        self.root, self.stranger = str(authority.root), str(stranger)
        self._env = {**passwords, "DB_PORT": str(port)}

    def env(self, hostname: str = "127.0.0.1", **config: str) -> dict[str, Any]:
        return self._env | {"DB_HOSTNAME": hostname} | config


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), "authority")


@pytest.fixture(scope="module")
def before_the_server(postgres: Platform, authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The platform's PostgreSQL, which is built without TLS, behind one that speaks it."""
    stranger = Authority(tmp_path_factory.mktemp("stranger"), "stranger").root
    roles = {f"DB_PASSWORD_{role.upper()}": postgres.password(role) for role in admin.ROLES}
    passwords = roles | {"DB_ADMIN_PASSWORD": postgres.password("postgres")}
    with listening(forward_to(postgres.postgres_port), tls_of(authority.issue("127.0.0.1"))) as port:
        yield Server(port, authority, passwords, stranger)


@pytest.fixture(scope="module")
def in_the_server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A PostgreSQL that was built with TLS, and lets nobody in without."""
    stranger = Authority(tmp_path_factory.mktemp("stranger"), "stranger").root
    certificate, key = authority.issue("127.0.0.1")
    options = {"ssl": "on", "ssl_cert_file": certificate.name, "ssl_key_file": key.name}
    folder = tmp_path_factory.mktemp("server")
    hba = folder / "pg_hba.conf"
    hba.write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    with cluster(folder, options=options, files=(certificate, key, hba), programs=built_with_tls()) as server:
        found = Server(server.port, authority, server.env, stranger)
        with environment(found.env(DB_SSLMODE="require")):
            engine = admin.connect("postgres").execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for role in ("saga", "bff"):
                admin.execute(connection, "create role %I login password %L", role, password=f"password of {role}")
            for database in BFF_DATABASES:
                admin.execute(connection, "create database %I template template0 encoding ''UTF8''", database)
        yield found


def built_with_tls() -> Path:
    """The programs of a PostgreSQL of this machine that speaks TLS; skips if there is none."""
    for folder in [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), *map(Path, os.get_exec_path())]:
        if shutil.which("pg_config", path=folder) and shutil.which("initdb", path=folder):
            command = [str(folder / "pg_config"), "--configure"]
            if "openssl" in subprocess.run(command, capture_output=True, text=True, check=True).stdout:
                return folder
    pytest.skip("no PostgreSQL that is built with TLS on this machine: apt-get install postgresql")


@pytest.fixture(params=["before_the_server", "in_the_server"])
def server(request: pytest.FixtureRequest) -> Server:
    found: Server = request.getfixturevalue(request.param)
    return found


@CLIENTS
@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full", ""])
def test_the_server_that_is_meant_is_spoken_to(client: Client, server: Server, mode: str) -> None:
    client(server.env(DB_SSLMODE=mode, DB_SSLROOTCERT=server.root))


@CLIENTS
def test_a_name_that_the_certificate_is_not_for_is_refused_by_verify_full_only(client: Client, server: Server) -> None:
    with pytest.raises(FAILURES, match="Hostname mismatch") as raised:
        client(server.env("localhost", DB_SSLMODE="verify-full", DB_SSLROOTCERT=server.root))
    assert isinstance(raised.value, DatabaseUnavailable) or is_transient(raised.value)
    client(server.env("localhost", DB_SSLMODE="verify-ca", DB_SSLROOTCERT=server.root))


@CLIENTS
@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_a_certificate_of_another_authority_is_refused(client: Client, server: Server, mode: str) -> None:
    with pytest.raises(FAILURES, match="certificate verify failed"):
        client(server.env(DB_SSLMODE=mode, DB_SSLROOTCERT=server.stranger))
    client(server.env(DB_SSLMODE="require"))


@CLIENTS
def test_a_plain_server_is_refused_where_tls_is_required(client: Client, postgres: Platform, server: Server) -> None:
    plain = server.env() | {"DB_PORT": str(postgres.postgres_port)}
    for mode in ("require", "verify-ca", "verify-full"):
        root = {} if mode == "require" else {"DB_SSLROOTCERT": server.root}
        with pytest.raises(FAILURES, match="Server refuses SSL"):
            client(plain | {"DB_SSLMODE": mode} | root)


def test_the_programs_set_up_and_prune_over_tls_and_say_in_a_line_what_is_wrong(before_the_server: Server) -> None:
    def run(program: str, **config: str) -> "subprocess.CompletedProcess[str]":
        env = {name: value for name, value in os.environ.items() if not name.startswith("DB_")}
        env |= before_the_server.env(**config)
        return subprocess.run(
            [sys.executable, "-m", program], cwd=ROOT, env=env, capture_output=True, text=True, check=False
        )

    for program in ("deployment.databases", "deployment.databases.prune"):
        assert run(program, DB_SSLROOTCERT=before_the_server.root).returncode == 0
        for config, text in (
            ({"hostname": "localhost", "DB_SSLROOTCERT": before_the_server.root}, "Hostname mismatch"),
            ({"DB_SSLROOTCERT": "/nowhere/root.pem"}, "'/nowhere/root.pem'"),
        ):
            done = run(program, **config)
            assert (done.returncode, done.stdout) == (1, "")
            assert done.stderr.startswith("error: ")
            assert text in done.stderr
            assert "Traceback" not in done.stderr
            assert PASSWORD not in done.stderr
