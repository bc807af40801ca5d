"""Fixtures that start what is real: a PostgreSQL, and a whole platform with everything deployed; npm packages."""

import sys
from collections.abc import Iterator
from pathlib import Path

import catalogue_npm
import pytest
from hypothesis import HealthCheck, settings

from tests.plataforma import Plataforma

# how fast a machine is, and how busy, is no property of the code
settings.register_profile("sin_reloj", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("sin_reloj")


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
    postgres.vaciar()
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


@pytest.fixture(scope="session")
def npm(pytestconfig: pytest.Config) -> Path:
    """The npm packages, with a browser; what the first installation says is shown at once."""
    with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        return catalogue_npm.instalados()
