"""What connects to PostgreSQL: a function, a BFF and a script, as an environment says where it is."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import pytest
import sqlalchemy as sa

from bff.backends.read_models import DATABASES, DatabaseUnavailable, ReadModels
from bff.settings import Settings
from deployment.databases import admin
from functions.postgres.connection import connect

Client = Callable[[Mapping[str, str]], int]
"""Asks the database `saga`, and returns the port that the server itself listens on. The environment has DB_PASSWORD_BFF
and so on, for every role.
"""
FAILURES: Final = (sa.exc.DBAPIError, DatabaseUnavailable)
"""What a client raises."""


def function(env: Mapping[str, str]) -> int:
    config = {"DB_NAME": "saga", **{name: value for name, value in env.items() if "PASSWORD" not in name}}
    engine = connect(config, env["DB_PASSWORD_SAGA"], "test")
    port = _port(engine)
    engine.dispose()
    return port


def bff(env: Mapping[str, str]) -> int:
    models = read_models(env)
    for database in DATABASES:
        models.check(database)
    return _port(models._saga)


def script(env: Mapping[str, str]) -> int:
    with environment(env):
        engine = admin.connect("saga")
    return _port(engine)


CLIENTS: Final = pytest.mark.parametrize("client", [function, bff, script])
"""Has a test run once with each."""


def read_models(env: Mapping[str, str]) -> ReadModels:
    """The BFF's, as it makes them of its settings."""
    with environment({**env, "DB_PASSWORD": env["DB_PASSWORD_BFF"]}):
        config = Settings.from_env()
    return ReadModels(**{name: getattr(config, name) for name in DATABASES}, threads=1, tls=config.tls)


@contextmanager
def environment(env: Mapping[str, str]) -> Iterator[None]:
    """Has this process's environment name no databases but those of `env`."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("DB_", "BFF_"))]:
            patch.delenv(name)
        for name, value in env.items():
            patch.setenv(name, value)
        yield


def _port(engine: sa.Engine) -> int:
    with engine.connect() as connection:
        query = sa.text("select current_setting('port'), :text")
        port, text = connection.execute(query, {"text": "Peña"}).one()
    assert text == "Peña"
    return int(port)
