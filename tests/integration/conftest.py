"""Engines that end with the test."""

from collections.abc import Iterator
from typing import Any

import pytest

from functions.engine.engine import Engine
from functions.engine.function import Function
from functions.postgres import connection
from tests.simulation.clock import Clock
from tests.simulation.database import Database, Session
from tests.simulation.steps import Steps
from tests.support.engines import StartEngine, context
from tests.support.fake_pulsar import FakeContext
from tests.support.platform import Platform
from tests.support.transactions import Connect
from tests.support.world import World


@pytest.fixture
def start_engine(databases: Platform) -> Iterator[StartEngine]:
    """Starts an engine for a function under the name of its configuration."""
    engines = []

    def _start_engine(function: Function, name: str) -> tuple[Engine, FakeContext]:
        own_context = context(databases, name)
        engines.append(Engine(function, own_context))
        return engines[-1], own_context

    yield _start_engine
    for engine in engines:
        engine.stop()


@pytest.fixture(scope="module")
def world(postgres: Platform) -> Iterator[World]:
    """All functions, and a broker in memory. Each test empties it."""
    world = World(postgres)
    yield world
    world.close()


@pytest.fixture(params=["postgres", "memory"])
def connect(request: pytest.FixtureRequest) -> Iterator[Connect]:
    """Engines for databases by name, empty at first; the same one for the same name."""
    engines: dict[str, Any] = {}
    platform: Platform | None = request.getfixturevalue("databases") if request.param == "postgres" else None

    def _connect(name: str) -> Any:
        if name not in engines and platform is not None:
            config = {"DB_NAME": name, "DB_HOSTNAME": "127.0.0.1", "DB_PORT": float(platform.postgres_port)}
            engines[name] = connection.connect(config, platform.password(name), "pruebas")
        elif name not in engines:
            engines[name] = Session(Database(name, Clock({})), Steps())
        return engines[name]

    yield _connect
    for engine in engines.values():
        engine.dispose()
