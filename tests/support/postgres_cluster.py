"""A PostgreSQL of a test's own, made as the test wants it, and its standby."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import sqlalchemy as sa

from deployment.databases.admin import ROLES
from deployment.local import postgres
from tests.support.platform import ROOT, free_ports, wait_for

PASSWORD = "the administrator's"


@dataclass(frozen=True)
class Cluster:
    """A server on 127.0.0.1, and what the programs need to reach it as its administrator."""

    port: int
    data: Path

    @property
    def env(self) -> dict[str, str]:
        passwords = {f"DB_PASSWORD_{role.upper()}": f"password of {role}" for role in ROLES}
        return passwords | {"DB_HOSTNAME": "127.0.0.1", "DB_PORT": str(self.port), "DB_ADMIN_PASSWORD": PASSWORD}

    def sql(self, database: str, statement: str, password: str = PASSWORD) -> list[tuple[Any, ...]]:
        """The rows of a statement of the administrator, which commits by itself."""
        url = sa.URL.create("postgresql+pg8000", "postgres", password, "127.0.0.1", self.port, database)
        engine = sa.create_engine(url, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            result = connection.execute(sa.text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []

    def set_up(self, **env: str) -> "subprocess.CompletedProcess[str]":
        """python -m deployment.databases; how it ended, and what it printed."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DB_")}
        command = [sys.executable, "-m", "deployment.databases"]
        environment = inherited | self.env | env
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    def kill(self) -> None:
        """Ends the server like a power cut: kill -9. Returns when its connections are gone too."""
        pid_file = self.data / "postmaster.pid"
        server = psutil.Process(int(pid_file.read_text().split()[0]))
        backends = server.children(recursive=True)
        server.send_signal(signal.SIGKILL)
        psutil.wait_procs(backends, timeout=60)
        pid_file.unlink()


@contextmanager
def cluster(
    folder: Path,
    initdb: Sequence[str] = (),
    options: Mapping[str, object] | None = None,
    files: Sequence[Path] = (),
    programs: Path | None = None,
) -> Iterator[Cluster]:
    """A server in `folder`, gone at the end. `initdb`: its arguments; `options`: settings; `files`: what is copied
    beside its data; `programs`: another PostgreSQL's than the platform's.
    """
    data, programs = _data(folder), programs or postgres.programs()
    password = data.with_suffix(".password")
    password.write_text(PASSWORD)
    if user := postgres.user():
        os.chown(password, pwd.getpwnam(user).pw_uid, -1)
    auth = ["--username=postgres", "--auth=scram-sha-256", f"--pwfile={password}", "--no-sync"]
    _run(data, programs, "initdb", *auth, *(initdb or ["--encoding=UTF8", "--locale=C"]))
    for file in files:
        shutil.copy(file, data)
        if user:
            os.chown(data / file.name, pwd.getpwnam(user).pw_uid, -1)
    settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
    with _running(data, programs, settings | dict(options or {})) as server:
        yield server


@contextmanager
def standby(folder: Path, primary: Cluster) -> Iterator[Cluster]:
    """A standby in `folder` that streams from the primary, gone at the end."""
    data, programs = _data(folder), postgres.programs()
    source = f"--dbname=host=127.0.0.1 port={primary.port} user=postgres"
    options = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync", source]
    _run(data, programs, "pg_basebackup", *options, env=os.environ | {"PGPASSWORD": PASSWORD})
    with _running(data, programs, {}) as server:
        yield server


class Pair:
    """A primary with all databases, and its standby."""

    def __init__(self, primary: Cluster, replica: Cluster) -> None:
        self.primary, self.replica = primary, replica

    def env(self, *ports: int, hostnames: Sequence[str] = (), **config: str) -> dict[str, str]:
        """The environment of programs that use the servers at these ports; if none is given, at those of the pair."""
        ports = ports or (self.primary.port, self.replica.port)
        names = hostnames or ["127.0.0.1"] * len(ports)
        return self.primary.env | {"DB_HOSTNAME": ",".join(names), "DB_PORT": ",".join(map(str, ports))} | config

    def wait_until_equal(self) -> None:
        """Waits until the standby has all that the primary has."""
        (end,) = self.primary.sql("postgres", "select pg_current_wal_lsn()")
        query = f"select pg_last_wal_replay_lsn() >= '{end[0]}'"
        wait_for("the standby", lambda: self.replica.sql("postgres", query) == [(True,)])


@contextmanager
def pair(folder: Path) -> Iterator[Pair]:
    """A primary on which all databases were made, and its standby, in `folder`; gone at the end."""
    with cluster(_made(folder / "primary")) as primary:
        done = primary.set_up()
        assert done.returncode == 0, done.stderr
        with standby(_made(folder / "standby"), primary) as replica:
            yield Pair(primary, replica)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _data(folder: Path) -> Path:
    """A new folder for data."""
    data = folder / "data"
    data.mkdir(mode=0o700)
    if postgres.user():
        postgres.open_to_substitute(data)
    return data


def _run(data: Path, programs: Path, program: str, *arguments: str, env: Mapping[str, str] | None = None) -> None:
    command = [str(programs / program), "-D", str(data), *arguments]
    with data.with_suffix(".log").open("a") as log:
        done = subprocess.run(command, user=postgres.user(), cwd="/", stdout=log, stderr=log, env=env, check=False)
    assert done.returncode == 0, data.with_suffix(".log").read_text()


@contextmanager
def _running(data: Path, programs: Path, settings: Mapping[str, object]) -> Iterator[Cluster]:
    (port,) = free_ports(1)
    with (data / "postgresql.conf").open("a") as conf:
        conf.writelines(f"{name} = '{value}'\n" for name, value in {**settings, "port": port}.items())
    _run(data, programs, "pg_ctl", "start", "--wait", "--timeout=180", "--log", str(data / "server.log"))
    try:
        yield Cluster(port, data)
    finally:
        if (data / "postmaster.pid").exists():  # else it was killed
            _run(data, programs, "pg_ctl", "stop", "--wait", "--mode=immediate")
