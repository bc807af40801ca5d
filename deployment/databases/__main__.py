"""Creates the six databases and their roles, and brings their tables up to date. Safe to run again.

A role can connect to its own database only, and only read and write rows there; `bff` only reads the read
models and the saga log. Everything belongs to the administrator that runs this.

Environment: DB_HOSTNAME (127.0.0.1), DB_PORT (5432), DB_ADMIN_USERNAME (postgres), DB_ADMIN_PASSWORD,
DB_PASSWORD_<ROLE> for each role: ORDENES, ORDENES_LECTURA, PRODUCTOS, PRODUCTOS_LECTURA, CONDUCTORES, SAGA, BFF.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.exc import SQLAlchemyError

BASES: Final = ("ordenes", "ordenes_lectura", "productos", "productos_lectura", "conductores", "saga")
LECTURAS_BFF: Final = ("ordenes_lectura", "productos_lectura", "saga")
ROLES: Final = (*BASES, "bff")
# a statement that waits longer is stopped by the server, and the engine tries again
LIMITES: Final = {"statement_timeout": "30s", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "60s"}
# The functions' statements, each on one table, know their rows by key: planned once for each connection, by index, they
# are right for a table of any size. Left to choose, PostgreSQL might read all of a table that was empty then.
AJUSTES: Final = LIMITES | {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}
# What people look for differs: each of the BFF's statements is planned for its values.
AJUSTES_BFF: Final = LIMITES | {
    "statement_timeout": "2s",
    "default_transaction_read_only": "on",
    "plan_cache_mode": "force_custom_plan",
}
CARPETA: Final = Path(__file__).parent


def variable(nombre: str) -> str:
    """A required environment variable; ends the program with a clear error without it."""
    if valor := os.environ.get(nombre):
        return valor
    raise SystemExit(f"error: {nombre} is not set (see python -m deployment.databases --help)")


def conectar(base: str) -> sa.Engine:
    """An administrator's engine for one database; each statement commits by itself."""
    url = sa.URL.create(
        "postgresql+pg8000",
        username=os.environ.get("DB_ADMIN_USERNAME", "postgres"),
        password=variable("DB_ADMIN_PASSWORD"),
        host=os.environ.get("DB_HOSTNAME", "127.0.0.1"),
        port=int(os.environ.get("DB_PORT", "5432")),
        database=base,
    )
    return sa.create_engine(url, connect_args={"timeout": 60}, poolclass=sa.NullPool)


def donde() -> str:
    """The server's address, for people."""
    return f"{os.environ.get('DB_HOSTNAME', '127.0.0.1')}:{os.environ.get('DB_PORT', '5432')}"


def ejecutar(conexion: sa.Connection, plantilla: str, *nombres: str, **valores: str) -> None:
    """Runs DDL, which takes no parameters: PostgreSQL's own format() quotes names (%I) and values (%L)."""
    argumentos = {f"a{i}": valor for i, valor in enumerate((*nombres, *valores.values()))}
    marcas = "".join(f", cast(:{nombre} as text)" for nombre in argumentos)
    sentencia = conexion.execute(sa.text(f"select format('{plantilla}'{marcas})"), argumentos).scalar_one()
    conexion.exec_driver_sql(sentencia)


def crear_roles(conexion: sa.Connection) -> None:
    existentes = set(conexion.execute(sa.text("select rolname from pg_roles")).scalars())
    for rol in ROLES:
        accion = "alter" if rol in existentes else "create"
        clave = variable(f"DB_PASSWORD_{rol.upper()}")
        ejecutar(conexion, f"{accion} role %I login noinherit password %L", rol, clave=clave)
        for ajuste, valor in (AJUSTES_BFF if rol == "bff" else AJUSTES).items():
            ejecutar(conexion, "alter role %I set %I = %L", rol, ajuste, valor=valor)
        if rol not in existentes:
            print(f"role {rol}: created")


def crear_bases(conexion: sa.Connection) -> None:
    existentes = set(conexion.execute(sa.text("select datname from pg_database")).scalars())
    for base in BASES:
        if base not in existentes:
            ejecutar(conexion, "create database %I", base)
            print(f"database {base}: created")
        ejecutar(conexion, "revoke all on database %I from public", base)
        for rol in lectores(base):
            ejecutar(conexion, "grant connect on database %I to %I", base, rol)


def lectores(base: str) -> tuple[str, ...]:
    """The roles that may open a database."""
    return (base, "bff") if base in LECTURAS_BFF else (base,)


def migrar(base: str) -> None:
    """Applies what is missing of deployment/databases/versions/<base>, in one transaction."""
    config = Config()
    config.set_main_option("script_location", str(CARPETA))
    config.set_main_option("version_locations", str(CARPETA / "versions" / base))
    config.set_main_option("path_separator", "os")
    motor = conectar(base)
    with motor.begin() as conexion:
        antes = MigrationContext.configure(conexion).get_current_revision()
        config.attributes["connection"] = conexion
        command.upgrade(config, "head")
        despues = MigrationContext.configure(conexion).get_current_revision()
        for rol in lectores(base):
            permisos = "select" if rol == "bff" else "select, insert, update, delete"
            ejecutar(conexion, f"grant {permisos} on all tables in schema public to %I", rol)
    print(f"database {base}: " + (f"migrated to {despues}" if despues != antes else f"unchanged, at {despues}"))


def main() -> None:
    ayuda = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser("python -m deployment.databases", description=__doc__, formatter_class=ayuda).parse_args()
    try:
        motor = conectar("postgres").execution_options(isolation_level="AUTOCOMMIT")
        with motor.connect() as conexion:
            crear_roles(conexion)
            crear_bases(conexion)
        for base in BASES:
            migrar(base)
    except SQLAlchemyError as error:
        sys.exit(f"error: PostgreSQL at {donde()} refused: {error}")


if __name__ == "__main__":
    main()
