"""Creates the seven databases and their roles, and brings their tables up to date. Safe to run again.

A role can connect to its own database only, and only read and write rows there; `bff` only reads the read
models and the saga log. Everything belongs to the administrator that runs this. Databases are UTF-8 with the builtin
locale C.UTF-8, whatever the server's; one that is there already in another encoding is refused.

A password may be two lines, the new one and the one before: who logs in tries them in this order. This program gives
the role the first, the administrator's own role too. So passwords change without anybody being locked out: see
docs/operating.md.

Environment: DB_HOSTNAME (127.0.0.1), DB_PORT (5432), DB_ADMIN_USERNAME (postgres), DB_ADMIN_PASSWORD,
DB_PASSWORD_<ROLE> for each role: ORDENES, ORDENES_LECTURA, PRODUCTOS, PRODUCTOS_LECTURA, CONDUCTORES,
CONDUCTORES_LECTURA, SAGA, BFF.
DB_HOSTNAME may name several servers, separated by commas: the primary of them is used. DB_PORT is the port of all, or
as many ports; see functions/postgres/servers.py.
DB_SSLMODE, DB_SSLROOTCERT: TLS, as libpq has them; see functions/postgres/tls.py.
"""

from functions.program.run import run

if __name__ == "__main__":
    run("deployment.databases.__main__")  # loads it under its own name, and never returns

import argparse
import sys
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.exc import SQLAlchemyError

from deployment.databases.admin import (
    BFF_ROLE_SETTINGS,
    ROLE_SETTINGS,
    ROLES,
    MissingVariable,
    connect,
    execute,
    server_address,
    variable,
)
from deployment.databases.lock import only_one
from deployment.databases.names import BFF_DATABASES, DATABASES
from functions.postgres.servers import InvalidServers
from functions.postgres.session import passwords
from functions.postgres.tls import InvalidTls
from functions.program.run import saying_if_interrupted

FOLDER: Final = Path(__file__).parent
INTERRUPTED: Final = "interrupted: each database is migrated wholly or not at all; run it again for the rest"
_UTF8: Final = "template template0 encoding ''UTF8'' locale_provider builtin builtin_locale ''C.UTF-8'' locale ''C''"
"""What a database is created with: template1 has the server's encoding. (The quotes are for format().)"""


class OtherEncoding(Exception):
    """A database is not UTF-8. The text says which."""


def create_roles(connection: sa.Connection) -> None:
    """Creates the roles that are missing, and gives all of them their passwords and settings."""
    existing = set(connection.execute(sa.text("select rolname from pg_roles")).scalars())
    for role in ROLES:
        verb = "alter" if role in existing else "create"
        password = passwords(variable(f"DB_PASSWORD_{role.upper()}"))[0]
        execute(connection, f"{verb} role %I login noinherit password %L", role, password=password)
        for setting, value in (BFF_ROLE_SETTINGS if role == "bff" else ROLE_SETTINGS).items():
            execute(connection, "alter role %I set %I = %L", role, setting, value=value)
        if role not in existing:
            print(f"role {role}: created")


def change_own_password(connection: sa.Connection) -> None:
    """Gives the administrator the first of two passwords."""
    new, *before = passwords(variable("DB_ADMIN_PASSWORD"))
    if before:
        (role,) = connection.execute(sa.text("select current_user")).scalars()
        execute(connection, "alter role %I password %L", role, password=new)
        print(f"role {role}: has the first of its two passwords")


def require_utf8(connection: sa.Connection) -> None:
    """Raises OtherEncoding if one of the databases is there and not UTF-8."""
    query = "select datname, pg_encoding_to_char(encoding) from pg_database where datname = any(:names)"
    for database, encoding in connection.execute(sa.text(query), {"names": list(DATABASES)}):
        if encoding != "UTF8":
            raise OtherEncoding(
                f"database {database} has the encoding {encoding}: it must be UTF8, or it can't keep every name."
                " Nothing was changed. Keep what is in it with pg_dump --encoding=UTF8, drop it, run this again, and"
                " restore its data (pg_restore --data-only)"
            )


def create_databases(connection: sa.Connection) -> None:
    """Creates the databases that are missing, and lets only their roles connect."""
    existing = set(connection.execute(sa.text("select datname from pg_database")).scalars())
    for database in DATABASES:
        if database not in existing:
            execute(connection, f"create database %I {_UTF8}", database)
            print(f"database {database}: created")
        execute(connection, "revoke all on database %I from public", database)
        for role in readers(database):
            execute(connection, "grant connect on database %I to %I", database, role)


def readers(database: str) -> tuple[str, ...]:
    """The roles that may open a database."""
    return (database, "bff") if database in BFF_DATABASES else (database,)


def alembic_config(database: str) -> Config:
    """Where Alembic finds a database's migrations, whatever characters the checkout's path has."""
    config = Config()
    config.set_main_option("path_separator", "newline")
    config.set_main_option("script_location", _escaped(FOLDER))
    config.set_main_option("version_locations", _escaped(FOLDER / "versions" / database))
    return config


def _escaped(path: Path) -> str:
    return str(path).replace("%", "%%")  # for ConfigParser


def migrate(database: str) -> None:
    """Applies the migrations of deployment/databases/versions/<database> that are missing, in one transaction."""
    config = alembic_config(database)
    engine = connect(database)
    with engine.begin() as connection:
        before = MigrationContext.configure(connection).get_current_revision()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        after = MigrationContext.configure(connection).get_current_revision()
        for role in readers(database):
            privileges = "select" if role == "bff" else "select, insert, update, delete"
            execute(connection, f"grant {privileges} on all tables in schema public to %I", role)
    print(f"database {database}: " + (f"migrated to {after}" if after != before else f"unchanged, at {after}"))


def main() -> None:
    formatter = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(
        "python -m deployment.databases", description=__doc__, formatter_class=formatter
    ).parse_args()
    try:
        engine = connect("postgres").execution_options(isolation_level="AUTOCOMMIT")
        with saying_if_interrupted(INTERRUPTED), engine.connect() as connection, only_one(connection):
            require_utf8(connection)
            connection.execute(sa.text("set password_encryption = 'scram-sha-256'"))  # no other is answered to
            change_own_password(connection)
            create_roles(connection)
            create_databases(connection)
            for database in DATABASES:
                migrate(database)
    except (MissingVariable, InvalidServers, InvalidTls, OtherEncoding) as error:
        sys.exit(f"error: {error}")
    except SQLAlchemyError as error:
        sys.exit(f"error: PostgreSQL at {server_address()} refused: {error}")
