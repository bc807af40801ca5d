"""Whether PostgreSQL allows as many connections as functions and BFFs may open: `deploy.py --plan` checks it.

Each instance of a function keeps one connection, each worker of the BFF up to BFF_POOL_SIZE to each of its databases.
During a roll-out old and new ones run side by side.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.exc import SQLAlchemyError

from deployment.databases.admin import MissingVariable, connect, server_address
from functions.cluster.connections import BFF_DATABASES, BFF_POOL_SIZE
from tools.errors import ToolError

ADMINISTRATION: Final = 2
"""Connections of deployment.databases and its prune."""
BFF_DEFAULTS: Final = {"BFF_REPLICAS": 2, "BFF_WORKERS": 1, "BFF_THREADS": 16}
"""What runs if the environment does not say otherwise: deployment/kubernetes/bff.yaml, and the BFF's own defaults."""
RESERVED: Final = 3
"""PostgreSQL's default of superuser_reserved_connections."""


@dataclass(frozen=True, slots=True)
class Server:
    """What PostgreSQL allows: max_connections, and how many of them it keeps for administrators."""

    maximum: int
    reserved: int


@dataclass(frozen=True, slots=True)
class Budget:
    """How many connections there may be at once: functions' instances, BFFs, and those of each BFF."""

    instances: int
    bffs: int
    each_bff: int

    @property
    def total(self) -> int:
        """All but those that PostgreSQL reserves."""
        return 2 * (self.instances + self.bffs * self.each_bff) + ADMINISTRATION

    def __str__(self) -> str:
        return (
            f"{self.total} connections: {self.instances} instances of functions and {self.bffs} BFFs with "
            f"{self.each_bff} each, all twice during a roll-out, and {ADMINISTRATION} for administration"
        )


def budget(configs: Mapping[str, Mapping[str, Any]], env: Mapping[str, str]) -> Budget:
    """What these functions need, beside the BFFs that the environment describes. Raises ToolError."""
    bff = {name: _number(env, name, default) for name, default in BFF_DEFAULTS.items()}
    pool = min(BFF_POOL_SIZE, bff["BFF_THREADS"])
    instances = sum(config.get("parallelism", 1) for config in configs.values())
    return Budget(instances, bff["BFF_REPLICAS"], bff["BFF_WORKERS"] * pool * BFF_DATABASES)


def ask() -> Server:
    """What the server at DB_HOSTNAME allows. Raises MissingVariable without DB_ADMIN_PASSWORD, SQLAlchemyError."""
    names = ("max_connections", "superuser_reserved_connections", "reserved_connections")
    with connect("postgres").connect() as connection:
        maximum, *reserved = (int(connection.exec_driver_sql(f"show {name}").scalar_one()) for name in names)
    return Server(maximum, sum(reserved))


def compare(needed: Budget, server: Server) -> str:
    """What to tell people. Raises ToolError if the server allows fewer."""
    allowed = f"max_connections of PostgreSQL at {server_address()} is {server.maximum}, {server.reserved} reserved"
    if needed.total > server.maximum - server.reserved:
        raise ToolError(
            f"{allowed}, but there may be {needed}. Set max_connections to {needed.total + server.reserved} or more, "
            f"or run fewer: `parallelism` in deployment/functions, {', '.join(BFF_DEFAULTS)}"
        )
    return f"{needed}; {allowed}"


def check(configs: Mapping[str, Mapping[str, Any]]) -> None:
    """Prints the budget beside what the server allows, or what it must allow if it can't be asked. Raises ToolError."""
    needed = budget(configs, os.environ)
    try:
        print(compare(needed, ask()))
    except (MissingVariable, SQLAlchemyError, OSError) as error:
        reason = getattr(error, "orig", None) or error
        print(
            f"{needed}; PostgreSQL was not asked ({reason}): max_connections must be {needed.total + RESERVED} or more"
        )


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise ToolError(f"{name} is {text!r}: it must be a whole number, 1 or more")
    return int(text)
