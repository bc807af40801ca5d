"""A PostgreSQL of a test's own, made as the test wants it."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from deployment.databases.admin import ROLES
from deployment.local import postgres
from tests.support.platform import ROOT, free_ports

PASSWORD = "the administrator's"


@dataclass(frozen=True)
class Cluster:
    """A server on 127.0.0.1, and what the programs need to reach it as its administrator."""

    port: int

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
    data, programs, user = folder / "data", programs or postgres.programs(), postgres.user()
    data.mkdir(mode=0o700)
    password = data.with_suffix(".password")
    password.write_text(PASSWORD)
    if user:
        postgres.open_to_substitute(data)
        os.chown(password, pwd.getpwnam(user).pw_uid, -1)

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(data), *arguments]
        with data.with_suffix(".log").open("a") as log:
            done = subprocess.run(command, user=user, cwd="/", stdout=log, stderr=log, check=False)
        assert done.returncode == 0, data.with_suffix(".log").read_text()

    auth = ["--username=postgres", "--auth=scram-sha-256", f"--pwfile={password}", "--no-sync"]
    run("initdb", *auth, *(initdb or ["--encoding=UTF8", "--locale=C"]))
    for file in files:
        shutil.copy(file, data)
        if user:
            os.chown(data / file.name, pwd.getpwnam(user).pw_uid, -1)
    (port,) = free_ports(1)
    settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off"}
    lines = [f"{name} = '{value}'\n" for name, value in (settings | dict(options or {})).items()]
    with (data / "postgresql.conf").open("a") as conf:
        conf.writelines(lines)
    run("pg_ctl", "start", "--wait", "--timeout=180", "--log", str(data / "server.log"))
    try:
        yield Cluster(port)
    finally:
        run("pg_ctl", "stop", "--wait", "--mode=immediate")
