"""Lists in pages: each row has a place in the list's order, and a cursor names the place after which a page begins."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from bisect import bisect
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import Any, Final
from urllib.parse import urlencode

from bff.bodies.fields import Field, integer, optional, to_utc
from functions.messages.ids import Id, parse
from functions.messages.payloads import MAX_INT

MAX_ROWS: Final = 1000
"""Most rows of a page, and the number of rows if the client does not choose."""
MAX_PAGE: Final = 1 << 20
"""Most bytes of a page's body, whatever its format; only a single row may be longer."""
Place = tuple[datetime, Id]
"""A row's place: its time, and its id among the rows of the same time."""


def cursor(place: Place | int) -> str:
    """The cursor that names a place, which may be a number too: base64url without padding."""
    text = str(place) if isinstance(place, int) else f"{place[0].isoformat()} {place[1]}"
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place(text: Any) -> Place:
    """The place that a cursor names. ValueError unless `cursor` made it."""
    try:
        moment, _, row_id = _decoded(text).rpartition(" ")
        parsed = datetime.fromisoformat(moment)
        found = (parsed, parse(row_id))
        if parsed.tzinfo is None or cursor(found) != text:
            raise ValueError
        to_utc(parsed)  # raises ValueError for a time that has no form in UTC
    except (ValueError, Error) as error:
        raise ValueError(_FOREIGN) from error
    return found


def number(text: Any) -> int:
    """The number that a cursor names, from 0 to MAX_INT. ValueError unless `cursor` made it."""
    try:
        found = int(_decoded(text))
        if not 0 <= found <= MAX_INT or cursor(found) != text:
            raise ValueError
    except (ValueError, Error) as error:
        raise ValueError(_FOREIGN) from error
    return found


def _decoded(text: Any) -> str:
    return urlsafe_b64decode(f"{text}{'=' * (-len(text) % 4)}".encode("ascii")).decode("ascii")


_FOREIGN: Final = "it must be taken from a Link header: begin again without it"
PAGE_FIELDS: Final = {
    "limit": integer(1, MAX_ROWS),
    "cursor": optional(Field(place, {"type": "string", "format": "cursor", "description": "From the header Link."})),
}
"""The query parameters that every list has."""
NUMBERED_PAGE_FIELDS: Final = PAGE_FIELDS | {
    "cursor": optional(
        Field(number, {"type": "string", "format": "number-cursor", "description": "From the header Link."})
    ),
}
"""The same, of a list whose rows are numbered."""


def fit(rows: Sequence[Any], write: Callable[[Sequence[Any]], bytes]) -> tuple[bytes, int]:
    """The body of a page that begins with these rows, and how many of them it holds: all, or as many as surely fit
    into MAX_PAGE, but at least one. `write` makes the body of a page with some rows.
    """
    body = write(rows)
    if len(body) <= MAX_PAGE or len(rows) <= 1:
        return body, len(rows)
    sizes = accumulate(len(write([row])) for row in rows)  # each with what is around the rows, so together too much
    count = max(1, bisect(list(sizes), MAX_PAGE))
    return write(rows[:count]), count


def links(
    path: str, query: Mapping[str, str], known: Collection[str], last_place: Place | int | None
) -> dict[str, str]:
    """The header Link (RFC 8288), with the same query: the first page, and the next one unless this is the last.

    Parameters:
      path, query: what was asked for.
      known: the names of the query's parameters; others mean nothing, and are left out.
      last_place: the place of this page's last row; None if there is no next page.
    """
    without_cursor = {name: value for name, value in query.items() if name in known and name != "cursor"}
    pages: Mapping[str, dict[str, str]] = {"first": without_cursor}
    if last_place is not None:
        pages = {**pages, "next": without_cursor | {"cursor": cursor(last_place)}}
    return {"Link": ", ".join(f'<{_url(path, fields)}>; rel="{rel}"' for rel, fields in pages.items())}


def _url(path: str, fields: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(fields)}" if fields else path
