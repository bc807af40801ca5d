"""Fixtures that start what is real: a PostgreSQL, and a whole platform with everything deployed; npm packages."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from tools.catalogue.npm import installed

from tests.support.platform import Platform

# how fast a machine is, and how busy, is no property of the code
settings.register_profile("no_deadline", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no_deadline")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """PostgreSQL alone, with the six databases migrated."""
    platform = Platform(tmp_path_factory.mktemp("postgres"))
    try:
        platform.local("up", "postgres")
        platform.run_with_env(sys.executable, "-m", "deployment.databases")
        yield platform
    finally:
        platform.local("clean")


@pytest.fixture
def databases(postgres: Platform) -> Platform:
    """The six databases, empty."""
    postgres.clear()
    return postgres


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Everything: PostgreSQL, Pulsar, functions worker, BFF, databases, topics, schemas, functions."""
    platform = Platform(tmp_path_factory.mktemp("platform"))
    try:
        print(platform.local("up"))
        print(platform.deploy())
        yield platform
    finally:
        platform.local("clean")


@pytest.fixture(scope="session")
def npm(pytestconfig: pytest.Config) -> Path:
    """The npm packages, with a browser; what the first installation says is shown at once."""
    with pytestconfig.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        return installed()
