"""Roles open their own database only; migrations can be run again."""

import sys

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from tools.deploy.connections import Server, ask

from deployment.databases.names import DATABASES
from tests.support.platform import ROOT, Platform

BFF_DATABASES = ("ordenes_lectura", "productos_lectura", "conductores_lectura", "saga")
ROLES = (*DATABASES, "bff")


@pytest.mark.parametrize("role", ROLES)
def test_a_role_opens_its_own_databases_only(postgres: Platform, role: str) -> None:
    own_databases = BFF_DATABASES if role == "bff" else (role,)
    for database in DATABASES:
        engine = postgres.engine(database, role, postgres.password(role))
        if database in own_databases:
            engine.connect().close()
        else:
            with pytest.raises(DBAPIError, match="permission denied for database"):
                engine.connect()


@pytest.mark.parametrize("database", BFF_DATABASES)
def test_the_bff_can_only_read(postgres: Platform, database: str) -> None:
    table = {
        "ordenes_lectura": "ordenes",
        "productos_lectura": "productos",
        "conductores_lectura": "conductores",
        "saga": "sagalog",
    }[database]
    with postgres.engine(database, "bff", postgres.password("bff")).connect() as connection:
        assert connection.execute(sa.text(f"select count(*) from {table}")).scalar() is not None
        connection.rollback()
        connection.execute(sa.text("set default_transaction_read_only = off"))
        connection.commit()
        with pytest.raises(DBAPIError, match="permission denied for table"):
            connection.execute(sa.text(f"delete from {table}"))


def test_a_wrong_password_opens_nothing(postgres: Platform) -> None:
    with pytest.raises(DBAPIError, match="password authentication failed"):
        postgres.engine("ordenes", "ordenes", "wrong").connect()


def test_the_server_says_how_many_connections_it_allows(postgres: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PORT", str(postgres.postgres_port))
    monkeypatch.setenv("DB_ADMIN_PASSWORD", postgres.password("postgres"))
    assert ask() == Server(200, 3)


def test_migrating_again_changes_nothing(postgres: Platform) -> None:
    output = postgres.run_with_env(sys.executable, "-m", "deployment.databases")
    versions = {
        database: max((ROOT / "deployment/databases/versions" / database).glob("*.py")).name[:4]
        for database in DATABASES
    }
    assert output.splitlines() == [f"database {database}: unchanged, at {versions[database]}" for database in DATABASES]
