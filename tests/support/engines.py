"""Engines of any function on a real PostgreSQL, with a fake of Pulsar."""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from tools.cluster.repository import function_configs

from functions.engine.engine import Engine
from functions.engine.function import Function
from tests.support.fake_pulsar import FakeClient, FakeContext
from tests.support.platform import Platform, wait_for

StartEngine = Callable[..., tuple[Engine, FakeContext]]


@cache
def _configurations() -> dict[str, dict[str, Any]]:
    return function_configs()


def configuration(name: str) -> dict[str, Any]:
    """A function's configuration, as it is deployed."""
    return _configurations()[name]


def function(name: str) -> Function:
    """A function, as its configuration names its class."""
    module, _, cls = configuration(name)["className"].rpartition(".")
    instance: Function = getattr(import_module(module), cls)()
    return instance


def context(databases: Platform, name: str, client: FakeClient | None = None) -> FakeContext:
    """The context that a deployed function has, on these databases."""
    config = configuration(name)
    database = config["userConfig"]["DB_NAME"]
    connection = {"DB_HOSTNAME": "127.0.0.1", "DB_PORT": float(databases.postgres_port)}
    return FakeContext(
        config["namespace"],
        name,
        config["userConfig"] | connection,
        databases.password(database),
        client or FakeClient(),
    )


def wait_for_acks(context: FakeContext, count: int) -> None:
    wait_for(f"{count} acks", lambda: len(context.acks) >= count)
    assert len(context.acks) == count


def receipts(databases: Platform) -> int:
    return int(databases.sql("ordenes", "select count(*) from recibos where salidas is not null")[0][0])


def is_waiting_for_lock(databases: Platform, function: str) -> bool:
    """True while another transaction holds up the function's."""
    query = "select 1 from pg_stat_activity where application_name = :function and wait_event_type = 'Lock'"
    return bool(databases.sql("postgres", query, function=function))
