"""What people see of dead letters: tables and details."""

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from functions.messages.topics import short_name
from tools.dead_letters.model import DeadLetter
from tools.messages.writer_schemas import Decoded
from tools.terminal import sanitize, timestamp

PROGRESS_INTERVAL: Final = 2
"""Seconds between two lines about how far reading has come."""
HEX_DUMP_BYTES: Final = 1024
"""Bytes of an unreadable message that are shown, at most."""
MAX_REASON: Final = 100
"""Characters of a reason that are shown in a line of a table, at most."""
MAX_TOTALS: Final = 20
"""Totals that are shown, at most."""
HEADER: Final = ("ID", "FUNCTION", "TIME", "TRIES", "TOPIC", "ORDER", "REASON")
_VARYING: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d+", re.IGNORECASE)
"""Ids and numbers: what differs in the reasons of two dead letters with the same cause."""


def format_count(count: int) -> str:
    """So many dead letters, for people."""
    return f"{count} letter" + ("" if count == 1 else "s")


class Progress:
    """Says on stderr how far reading has come, every PROGRESS_INTERVAL seconds."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._read_count = 0
        self._last_report = time.monotonic()

    def count_dead_letters(self, dead_letters: Iterable[DeadLetter]) -> Iterator[DeadLetter]:
        """Passes the dead letters on, and counts them."""
        for dead_letter in dead_letters:
            self._read_count += 1
            if time.monotonic() > self._last_report + PROGRESS_INTERVAL:
                self._last_report = time.monotonic()
                print(f"read {self._read_count} of {format_count(self._total)} …", file=sys.stderr, flush=True)
            yield dead_letter


class Table:
    """One line for each dead letter, as they come; then the totals."""

    def __init__(self, functions: Iterable[str]) -> None:
        """`functions`: the names, <namespace>/<name>, that a column must be wide enough for."""
        width = max(len(function) for function in functions)
        self._line_format = f"{{:<{width + 6}}}  {{:<{width}}}  {{:<24}}  {{:>5}}  {{:<33}}  {{:<36}}  {{}}"
        self._totals: Counter[tuple[str, str]] = Counter()

    def line(self, dead_letter: DeadLetter, decoded: Decoded) -> str:
        """A dead letter's line; the first one comes with the table's head above it."""
        head = "" if self._totals else self._line_format.format(*HEADER) + "\n"
        reason = sanitize(dead_letter.reason) or "-"
        self._totals[dead_letter.function, _VARYING.sub("…", reason)[:MAX_REASON]] += 1
        return head + self._line_format.format(
            dead_letter.id,
            dead_letter.function,
            timestamp(dead_letter.timestamp),
            "-" if dead_letter.attempts is None else dead_letter.attempts,
            sanitize(short_name(dead_letter.topic or "-")),
            sanitize(str(decoded.data.get("id_orden") or "-")),
            reason[:MAX_REASON],
        )

    def summary(self) -> str:
        """How many dead letters of each function have each reason."""
        total = self._totals.total()
        if not total:
            return "no dead letters"
        most_common = self._totals.most_common(MAX_TOTALS)
        lines = [f"  {count:>6}  {function}  {reason}" for (function, reason), count in most_common]
        others = len(self._totals) - MAX_TOTALS
        if others > 0:
            lines.append(f"  and {others} more reasons")
        return "\n".join(["", f"{format_count(total)}:", *lines])


def to_dict(dead_letter: DeadLetter, decoded: Decoded) -> dict[str, Any]:
    """A dead letter's line of `list --json`."""
    return {
        "id": dead_letter.id,
        "function": dead_letter.function,
        "topic": dead_letter.topic,
        "message_id": dead_letter.properties.get("dlq-message-id"),
        "time": timestamp(dead_letter.timestamp),
        "attempts": dead_letter.attempts,
        "reason": dead_letter.reason,
        "order": decoded.data.get("id_orden"),
        "transaction": decoded.data.get("transaction_id"),
        "redriven": dead_letter.redrive_count,
        "bytes": len(dead_letter.body),
    }


def to_full_dict(dead_letter: DeadLetter, decoded: Decoded) -> dict[str, Any]:
    """A dead letter's line of `show --json`."""
    return to_dict(dead_letter, decoded) | {
        "key": dead_letter.key,
        "properties": dict(dead_letter.properties),
        "schema": decoded.schema or None,
        "problem": decoded.problem or None,
        "message": decoded.envelope or None,
        "hex": dead_letter.body.hex(),
    }


def detail(dead_letter: DeadLetter, decoded: Decoded) -> str:
    """Everything about a dead letter, for people."""
    lines = [*_description(dead_letter)]
    if decoded.problem:
        lines.append(f"note        {sanitize(decoded.problem)}")
    if decoded.envelope:
        lines.append(f"message     {len(dead_letter.body)} bytes, read with {sanitize(decoded.schema)}")
        text = json.dumps(decoded.envelope, indent=2, ensure_ascii=False, default=str)
        return "\n".join([*lines, sanitize(text, "\n")])
    return "\n".join([*lines, f"message     {len(dead_letter.body)} bytes", *hex_dump(dead_letter.body)])


def _description(dead_letter: DeadLetter) -> Iterator[str]:
    """Everything that a dead letter says besides its message."""
    yield f"letter      {dead_letter.id}"
    yield f"function    {dead_letter.function}"
    yield f"time        {timestamp(dead_letter.timestamp)}"
    yield f"reason      {sanitize(dead_letter.reason) or '-'}"
    yield f"key         {sanitize(dead_letter.key) or '-'}"
    yield "properties"
    for key, value in sorted(dead_letter.properties.items()):
        if key != "dlq-traceback":
            yield f"  {sanitize(key)}: {sanitize(value)}"
    if traceback := dead_letter.properties.get("dlq-traceback"):
        yield "traceback"
        yield from (f"  {line}" for line in sanitize(traceback, "\n").splitlines())


def hex_dump(body: bytes) -> Iterator[str]:
    """The first bytes, as `hexdump -C` shows them."""
    for start in range(0, min(len(body), HEX_DUMP_BYTES), 16):
        row = body[start : min(start + 16, HEX_DUMP_BYTES)]
        characters = "".join(chr(b) if 32 <= b < 127 else "." for b in row)
        yield f"  {start:08x}  {row.hex(' '):<47}  |{characters}|"
    if len(body) > HEX_DUMP_BYTES:
        yield f"  … {len(body) - HEX_DUMP_BYTES} bytes more: --json has them all"
