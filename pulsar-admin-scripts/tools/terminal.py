"""What users type and see: the types of arguments, and texts that can't control a terminal."""

import argparse
import getpass
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from tools.errors import ToolError

T = TypeVar("T")


def sanitize(text: str, allowed: str = "") -> str:
    """The text with every character that is not printable escaped, but for those in `allowed`."""
    return "".join(c if c.isprintable() or c in allowed else c.encode("unicode_escape").decode() for c in text)


def timestamp(moment: datetime) -> str:
    """A UTC time in ISO 8601, in milliseconds: 2026-11-24T07:00:00.000Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def json_line(value: Mapping[str, Any]) -> str:
    """The JSON of a value in one line of ASCII; times in ISO 8601, what JSON does not know as `str` has it."""
    return json.dumps(value, default=lambda v: v.isoformat() if isinstance(v, datetime) else str(v))


def current_user() -> str:
    """The system's name for who runs this; ToolError if it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise ToolError("the system does not know who you are: say --operator NAME") from error


def moment(text: str) -> datetime:
    """An argument that is a time in ISO 8601; local time, if it names no zone. ValueError if it is none."""
    return datetime.fromisoformat(text).astimezone()


def count(text: str) -> int:
    """An argument that is a whole number from 1 on; else ValueError."""
    number = int(text)
    if number < 1:
        raise ValueError("it must be at least 1")
    return number


def argument_type(read: Callable[[str], T]) -> Callable[[str], T]:
    """`read` as argparse wants an argument's type: it shows users the text of an ArgumentTypeError only."""

    def parsed(text: str) -> T:
        try:
            return read(text)
        except (ValueError, OverflowError, re.error) as error:
            raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error

    return parsed
