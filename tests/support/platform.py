"""A whole platform for tests: free ports, a data folder of its own, gone at the end."""

import json
import os
import random
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import Message
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pulsar
import sqlalchemy as sa

from deployment.databases.names import DATABASES
from deployment.local import services

ROOT = Path(__file__).parents[2]
PORTS = ("PULSAR_PORT", "PULSAR_HTTP_PORT", "BOOKIE_PORT", "FUNCTIONS_PORT", "POSTGRES_PORT", "BFF_PORT")
T = TypeVar("T")


def wait_for(what: str, condition: Callable[[], T], timeout: float = 180.0) -> T:
    """The first true value of `condition`. `timeout` is in seconds, and long: a slow or busy machine is no failure, and
    only a test that fails waits so long.
    """
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {timeout} s: {what}; last seen: {value!r}"
        time.sleep(0.02)
    return value


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, below those that the kernel gives to outgoing connections."""
    ports: list[int] = []
    for port in random.sample(range(20_000, 32_000), 12_000):
        with socket.socket() as sock, suppress(OSError):
            sock.bind(("127.0.0.1", port))
            ports.append(port)
        if len(ports) == count:
            break
    return ports


def inherited_env() -> dict[str, str]:
    """This process' environment without what is said of a platform."""
    own_prefixes = ("PULSAR_", "DB_", "BFF_", "PLATFORM_")
    return {name: value for name, value in os.environ.items() if not name.startswith(own_prefixes)}


class Platform:
    """Runs the commands that people run, in a data folder of its own. Ports are chosen once, free ones."""

    def __init__(self, data: Path) -> None:
        self.data = data
        ports = dict(zip(PORTS, map(str, free_ports(len(PORTS))), strict=True))
        self.env = inherited_env() | ports | {"PLATFORM_DATA": str(data)}
        self.service_url = f"pulsar://127.0.0.1:{ports['PULSAR_PORT']}"
        self.admin_url = f"http://127.0.0.1:{ports['PULSAR_HTTP_PORT']}"
        self.functions_url = f"http://127.0.0.1:{ports['FUNCTIONS_PORT']}"
        self.bff_url = f"http://127.0.0.1:{ports['BFF_PORT']}"
        self.postgres_port = int(ports["POSTGRES_PORT"])

    def local(self, *arguments: str) -> str:
        """python -m deployment.local …; its output, or an assertion with it."""
        return self._run(sys.executable, "-m", "deployment.local", *arguments)

    def run_with_env(self, *command: str) -> str:
        """A command with the environment that `deployment.local run` gives."""
        return self.local("run", "--", *command)

    def deploy(self) -> str:
        """What `make deploy` does; what it printed."""
        commands = (
            ("-m", "deployment.databases"),
            ("pulsar-admin-scripts/provision.py",),
            ("pulsar-admin-scripts/deploy.py",),
        )
        return "".join(self.run_with_env(sys.executable, *command) for command in commands)

    def admin(self, *arguments: str) -> str:
        """The real pulsar-admin."""
        return self._run(str(self.data / "bin" / "pulsar-admin"), *arguments)

    def read_admin(self, path: str) -> Any:
        """What the brokers' admin API has below /admin/v2/."""
        with urlopen(f"{self.admin_url}/admin/v2/{path}", timeout=10) as response:
            return json.load(response)

    def client(self) -> pulsar.Client:
        """A Pulsar client that may do everything."""
        return pulsar.Client(self.service_url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))

    @property
    def services(self) -> tuple[str, ...]:
        """The names of all its services."""
        return services.NAMES

    def of_kind(self, kind: str) -> list[str]:
        """The services of a kind that may be killed."""
        return [kind]

    def password(self, role: str) -> str:
        passwords: dict[str, str] = json.loads((self.data / "secrets.json").read_text())
        return passwords[role]

    def engine(self, database: str, role: str = "postgres", password: str | None = None) -> sa.Engine:
        """A connection pool to one database, the administrator's unless a role is named."""
        url = sa.URL.create(
            "postgresql+pg8000", role, password or self.password(role), "127.0.0.1", self.postgres_port, database
        )
        return sa.create_engine(url, poolclass=sa.NullPool)

    def sql(self, database: str, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        with self.engine(database).begin() as connection:
            result = connection.execute(sa.text(query), parameters)
            return [tuple(row) for row in result] if result.returns_rows else []

    def clear(self) -> None:
        """Empties every table of the databases."""
        for database in DATABASES:
            tables = self.sql(database, "select tablename from pg_tables where schemaname = 'public'")
            names = ", ".join(name for (name,) in tables if name != "alembic_version")
            self.sql(database, f"truncate {names}")

    def request(
        self, method: str, path: str, body: object = None, media_type: str = "application/json", **headers: str
    ) -> tuple[int, Any, Message]:
        """Status, decoded JSON and headers of the BFF's answer. `body`: text as it is, or an object as JSON;
        `headers` as Idempotency_Key="…".
        """
        return send(self.bff_url + path, method, body, media_type, headers)

    def stream(self, path: str) -> Any:
        """The BFF's answer to a GET, to be read while it comes."""
        return urlopen(self.bff_url + path, timeout=60)

    def instances(self, function: str) -> list[psutil.Process]:
        """The running instances of one of our functions."""
        found = []
        for process in psutil.process_iter(["cmdline"]):
            command = " ".join(process.info["cmdline"] or ())
            if f"{self.data}/functions-worker" in command and "/download/" in command and f"/{function}/" in command:
                found.append(process)
        return found

    def _run(self, *command: str) -> str:
        process = subprocess.run(
            command, cwd=ROOT, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600
        )
        assert process.returncode == 0, f"{' '.join(command)} ended with {process.returncode}:\n{process.stdout}"
        return process.stdout


def send(
    url: str,
    method: str,
    body: object,
    media_type: str,
    headers: Mapping[str, str],
    tls: ssl.SSLContext | None = None,
) -> tuple[int, Any, Message]:
    """Status, decoded JSON and headers of an answer; `body` and `headers` as in Platform.request."""
    text = body if isinstance(body, str) else json.dumps(body)
    all_headers = {"Content-Type": media_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = Request(url, None if body is None else text.encode(), all_headers, method=method)
    try:
        with urlopen(request, timeout=30, context=tls) as response:
            return response.status, json.load(response), response.headers
    except HTTPError as error:
        return error.code, json.load(error), error.headers


P = TypeVar("P", bound=Platform)


@contextmanager
def deployed(platform: P) -> Iterator[P]:
    """The platform, started, with everything of these sources deployed; removed at the end."""
    try:
        print(platform.local("up"))
        print(platform.deploy())
        yield platform
    finally:
        platform.local("clean")
