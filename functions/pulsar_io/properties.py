"""The texts of received messages, which may hold any bytes: properties and keys."""

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def text(read: Callable[[], T], default: T) -> T:
    """What `read` returns; `default` if it is not UTF-8, as if it were not there."""
    try:
        return read()
    except UnicodeDecodeError:
        return default


def properties(raw: Any) -> dict[str, str]:
    """The properties of a received message; none if one of them is not UTF-8."""
    return text(raw.properties, {})
