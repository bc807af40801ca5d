"""What people and programs see of the messages that come: a live table, JSON, CloudEvents."""

import shutil
import sys
from collections import deque
from typing import Final, Self

from rich.live import Live
from rich.table import Table
from rich.text import Text

from tools.messages.cloudevents_json import to_cloudevent
from tools.messages.print import HEADERS, to_dict, to_row
from tools.messages.received import ReceivedMessage
from tools.terminal import json_line, sanitize

MAX_ROWS: Final = 200
"""Messages that the live table keeps; a terminal shows fewer."""


def print_json(message: ReceivedMessage) -> None:
    """One JSON object on a line."""
    print(json_line(to_dict(message)))


def print_cloud_event(message: ReceivedMessage) -> None:
    """One CloudEvent on a line. A message that can't be one goes to stderr, whole, so that none is lost."""
    try:
        print(json_line(to_cloudevent(message.source, message.decoded.envelope)))
    except (KeyError, ValueError) as error:
        print(f"warning: no CloudEvent: {sanitize(str(error))}: {json_line(to_dict(message))}", file=sys.stderr)


class LiveTable:
    """The newest messages, as many as the terminal has room for, and how many came. A context manager: it is on the
    terminal inside of `with`, drawn again four times a second.
    """

    def __init__(self) -> None:
        self._rows: deque[tuple[str, ...]] = deque(maxlen=MAX_ROWS)
        self._count = 0
        self._live = Live(get_renderable=self._render, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def show(self, message: ReceivedMessage) -> None:
        """Adds a message as the newest row."""
        self._count += 1
        self._rows.append(to_row(message))

    def _render(self) -> Table:
        table = Table(box=None, title=f"{self._count} messages", expand=True)
        for head in HEADERS[:-1]:
            table.add_column(head, no_wrap=True)
        table.add_column(HEADERS[-1], no_wrap=True, overflow="ellipsis", ratio=1)
        room = max(1, shutil.get_terminal_size().lines - 4)
        for row in list(self._rows)[-room:]:
            table.add_row(*map(Text, row))
        return table
