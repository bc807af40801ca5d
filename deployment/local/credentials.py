"""Generated passwords, and the environment that each process and person gets."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Collection
from pathlib import Path

from deployment.databases.names import DATABASES
from deployment.local import private
from deployment.local.errors import PlatformError
from deployment.local.settings import Settings

ROLES = ("postgres", *DATABASES, "bff")


def _file(data: Path) -> Path:
    return data / "secrets.json"


def generate(data: Path, more: Collection[str] = ()) -> None:
    """Makes the passwords of a new data folder, of the databases' roles and of what is named; kept for its life."""
    if _file(data).exists():
        return
    passwords = {role: secrets.token_urlsafe(32) for role in (*ROLES, *more)}
    private.write(_file(data), json.dumps(passwords, indent=2))


def passwords(data: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(_file(data).read_text())
    except FileNotFoundError as problem:
        raise PlatformError(f"there is no platform in {data}; run `up` first") from problem
    return found


def addresses(settings: Settings) -> dict[str, str]:
    """Where everything listens, and the tools. No secrets."""
    return {
        "PULSAR_SERVICE_URL": f"pulsar://127.0.0.1:{settings.pulsar_port}",
        "PULSAR_ADMIN_URL": f"http://127.0.0.1:{settings.pulsar_http_port}",
        "PULSAR_FUNCTIONS_URL": f"http://127.0.0.1:{settings.functions_port}",
        "PULSAR_ADMIN": str(settings.data / "bin" / "pulsar-admin"),
        "PULSAR_SHELL": str(settings.data / "bin" / "pulsar-shell"),
        "FUNCTIONS_LOGS": str(settings.data / "logs" / "functions"),
        "DB_HOSTNAME": "127.0.0.1",
        "DB_PORT": str(settings.postgres_port),
        "DB_SSLMODE": "disable",
        "BFF_PORT": str(settings.bff_port),
    }


def for_functions(settings: Settings) -> dict[str, str]:
    """The worker's: the roles that functions work with, nobody else's."""
    known = passwords(settings.data)
    return addresses(settings) | {variable(role): known[role] for role in DATABASES}


def for_bff(settings: Settings) -> dict[str, str]:
    return addresses(settings) | {"DB_USERNAME": "bff", "DB_PASSWORD": passwords(settings.data)["bff"]}


def for_people(settings: Settings) -> dict[str, str]:
    """What `env` and `run` give: everything, the administrator's password included."""
    known = passwords(settings.data)
    admin = {"DB_ADMIN_USERNAME": "postgres", "DB_ADMIN_PASSWORD": known["postgres"]}
    return for_functions(settings) | {variable("bff"): known["bff"]} | admin


def inherited() -> dict[str, str]:
    """This process' environment, without database settings: each service gets those that it needs.

    Fewer arenas: glibc's default of 8 per core holds 20 MB more in a process whose threads publish through Pulsar's
    client. Logs and names of files are in UTF-8, whatever the terminal is that starts the services.
    """
    terminal = ("DB_", "LC_", "LANG", "PYTHONIOENCODING", "PYTHONUTF8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(terminal)}
    return {"MALLOC_ARENA_MAX": "2"} | kept | {"LC_ALL": "C.UTF-8"}


def variable(role: str) -> str:
    """The environment variable of a database role's password."""
    return f"DB_PASSWORD_{role.upper()}"
