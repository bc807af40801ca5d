"""How much may wait in a topic before the broker refuses more: a function that is down must not fill the disk."""

import os
import re
from typing import Final

from tools.errors import ToolError

DEFAULT: Final = "1000M"
"""At 20 orders a second so much waits in a topic of the saga after about a day."""
ENVIRONMENT_HELP: Final = (
    "  PULSAR_BACKLOG_LIMIT        1000M                   what may wait in one topic: a number with M, G or T; what\n"
    "                              would be more is refused, with an error, until functions have caught up\n"
)
_UNITS: Final = {"M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def backlog_limit() -> int:
    """The bytes that may wait in one topic, by PULSAR_BACKLOG_LIMIT. ToolError if that is no size."""
    text = os.environ.get("PULSAR_BACKLOG_LIMIT", DEFAULT)
    size = re.fullmatch(r"([1-9]\d{0,5})([MGT])", text)
    if size is None:
        raise ToolError(f"PULSAR_BACKLOG_LIMIT is {text!r}: it must be a number with M, G or T, such as {DEFAULT}")
    return int(size[1]) * _UNITS[size[2]]
