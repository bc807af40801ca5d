"""Waiting for what a command leads to: `Prefer: wait=N` (RFC 7240)."""

import re
from typing import Final, TypeGuard

from flask import Request

from bff.backends.read_models import Row

LONGEST_WAIT: Final = 10
"""Longest wait in seconds, whatever the client prefers."""
_WAIT: Final = re.compile(r'wait\s*=\s*"?([0-9]{1,9})"?', re.ASCII | re.IGNORECASE)


def preferred_wait(request: Request) -> int:
    """The seconds that the client prefers to wait, at most LONGEST_WAIT; 0 if the header Prefer does not say."""
    for preference in request.headers.get("Prefer", "").split(","):
        if match := _WAIT.fullmatch(preference.partition(";")[0].strip()):
            return min(int(match[1]), LONGEST_WAIT)
    return 0


def has_ended(orden: Row | None) -> TypeGuard[Row]:
    """Whether there is an order and its saga is over, well or not."""
    return orden is not None and orden["estado"] != "creada"
