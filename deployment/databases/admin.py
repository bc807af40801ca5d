"""The databases, their roles and settings, and the administrator's connection to them.

Environment: DB_HOSTNAME (127.0.0.1) and DB_PORT (5432), of one server or of several, DB_ADMIN_USERNAME (postgres),
DB_ADMIN_PASSWORD, DB_SSLMODE, DB_SSLROOTCERT.
"""

import os
from typing import Final

import sqlalchemy as sa

from deployment.databases.names import DATABASES
from functions.postgres import servers, tls
from functions.postgres.session import Session, open_as

ROLES: Final = (*DATABASES, "bff")
LIMITS: Final = {"statement_timeout": "30s", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "60s"}
"""The server stops a statement that takes or waits longer; the engine tries again."""
ROLE_SETTINGS: Final = LIMITS | {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}
"""Each statement of the functions is on one table and finds its rows by key: planned once for each connection, by
index, it is right for a table of any size. Left to choose, PostgreSQL might read all of a table that was empty then.
"""
BFF_ROLE_SETTINGS: Final = LIMITS | {
    "statement_timeout": "2s",
    "default_transaction_read_only": "on",
    "plan_cache_mode": "force_custom_plan",
}
"""The BFF searches by changing conditions: each of its statements is planned for its values."""


class MissingVariable(Exception):
    """A required environment variable is not set. The text names it."""


def variable(name: str) -> str:
    """A required environment variable. Raises MissingVariable."""
    value = os.environ.get(name)
    if not value:
        raise MissingVariable(f"{name} is not set (see python -m deployment.databases --help)")
    return value


def connect(database: str) -> sa.Engine:
    """An administrator's engine for one database. Raises MissingVariable, InvalidServers, InvalidTls."""
    addresses = servers.addresses(os.environ)
    username = os.environ.get("DB_ADMIN_USERNAME", "postgres")
    url = servers.url(addresses, username, variable("DB_ADMIN_PASSWORD"), database)
    arguments = {"timeout": 60, "ssl_context": tls.context(os.environ, *servers.hostnames(addresses))}
    return open_as(Session, sa.create_engine(url, connect_args=arguments, poolclass=sa.NullPool))


def server_address() -> str:
    """The server's address, or those of several, for people. Raises InvalidServers."""
    return servers.text(servers.addresses(os.environ))


def execute(connection: sa.Connection, template: str, *names: str, **values: str) -> None:
    """Runs DDL, which takes no parameters: PostgreSQL's own format() quotes names (%I) and values (%L)."""
    arguments = {f"a{i}": value for i, value in enumerate((*names, *values.values()))}
    placeholders = "".join(f", cast(:{name} as text)" for name in arguments)
    statement = connection.execute(sa.text(f"select format('{template}'{placeholders})"), arguments).scalar_one()
    connection.exec_driver_sql(statement)
