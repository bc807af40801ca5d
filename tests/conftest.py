"""Fixtures that start what is real: a PostgreSQL, and a whole platform with everything deployed."""

import sys
from collections.abc import Iterator

import pytest

from tests.plataforma import BASES, Plataforma


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plataforma]:
    """PostgreSQL alone, with the six databases migrated."""
    plataforma = Plataforma(tmp_path_factory.mktemp("postgres"))
    try:
        plataforma.local("up", "postgres")
        plataforma.con_entorno(sys.executable, "-m", "deployment.databases")
        yield plataforma
    finally:
        plataforma.local("clean")


@pytest.fixture
def bases(postgres: Plataforma) -> Plataforma:
    """The six databases, empty."""
    for base in BASES:
        tablas = postgres.sql(base, "select tablename from pg_tables where schemaname = 'public'")
        nombres = ", ".join(nombre for (nombre,) in tablas if nombre != "alembic_version")
        postgres.sql(base, f"truncate {nombres}")
    return postgres


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plataforma]:
    """Everything: PostgreSQL, Pulsar, functions worker, BFF, databases, topics, schemas, functions."""
    plataforma = Plataforma(tmp_path_factory.mktemp("platform"))
    try:
        print(plataforma.local("up"))
        print(plataforma.desplegar())
        yield plataforma
    finally:
        plataforma.local("clean")
