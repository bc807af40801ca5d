"""How much of a text goes into logs and into answers about errors: clients may send as much as a request may hold."""

from typing import Final

MAX_METHOD: Final = 20
"""Most characters of a request's method in a log."""
MAX_FIELD: Final = 300
"""Most characters of any other field of a log's line."""
MAX_TEXT: Final = 1_000
"""Most characters of a log's message, and of what an answer says of an error."""
MAX_TRACEBACK: Final = 16_000
"""Most characters of a log's traceback."""


def cut(text: str, length: int) -> str:
    """The text, of which the middle is left out if it has more than `length` characters."""
    half = (length - 1) // 2
    return text if len(text) <= length else f"{text[: length - 1 - half]}…{text[len(text) - half :]}"
