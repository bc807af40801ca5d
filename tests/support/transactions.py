"""Transactions on a database by its name, whether PostgreSQL or in memory."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from functions.postgres import errors

Connect = Callable[[str], Any]


def in_transaction(engine: Any, *actions: Callable[[Any], Any]) -> list[Any]:
    """What each action returns, in one transaction."""
    with engine.begin() as tx:
        return [action(tx) for action in actions]


def refusal(connect: Connect, database: str, *actions: Callable[[Any], Any]) -> sa.exc.DBAPIError:
    with pytest.raises(sa.exc.DBAPIError) as raised:
        in_transaction(connect(database), *actions)
    assert not errors.is_transient(raised.value)
    return raised.value
