"""Screens of the live view about messages: of one topic, of one order, and one message whole."""

import json
from collections.abc import Callable, Iterator, Sequence
from threading import Event
from typing import ClassVar, Final
from uuid import UUID

import pulsar
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.widgets import DataTable, Footer, Input, Static
from textual.widgets.data_table import RowKey

from functions.cluster.admin_rest import AdminUnavailable
from tools.messages.print import HEADERS, to_dict, to_row
from tools.messages.received import ReceivedMessage
from tools.monitor.columns import add_columns, widen
from tools.monitor.messages import Batch, KeepGoing
from tools.terminal import sanitize

MAX_MESSAGES: Final = 200
"""Messages that are kept on a screen."""
PAUSE: Final = 1.0
"""Seconds until the next try after messages could not be read."""
POLL_INTERVAL: Final = 0.05
"""Seconds between two polls for messages while none come."""
BACK: Final = Binding("escape", "app.pop_screen", "Back")


class MessagesScreen(Screen[None]):
    """The messages that `read` yields, as they come, until the screen is left.

    Reads in a thread of its own. After an error it begins anew, as often as it takes. Keeps MAX_MESSAGES messages.
    """

    BINDINGS: ClassVar[list[BindingType]] = [BACK]

    class Arrival(Message):
        """From the thread that reads. `batch`: what came; None if it begins anew; a text: why it can't go on."""

        def __init__(self, batch: Batch | str | None) -> None:
            super().__init__()
            self.batch = batch

    def __init__(self, subject: str, read: Callable[[KeepGoing], Iterator[Batch]]) -> None:
        """`subject`: whose messages they are, for people; `read`: yields them until its argument returns False."""
        super().__init__()
        self._subject, self._read = subject, read
        self._stopping = Event()
        self._seen: dict[RowKey, ReceivedMessage] = {}
        self._read_count = 0

    def compose(self) -> ComposeResult:
        yield Static(id="status")
        yield DataTable[Text](id="messages", cursor_type="row")
        yield Footer()

    def on_mount(self) -> None:
        add_columns(self._table, HEADERS)
        self._table.focus()
        self._show_status("reading …")
        self.run_worker(self._follow, thread=True, exit_on_error=False)

    def on_unmount(self) -> None:
        self._stopping.set()

    @property
    def _table(self) -> "DataTable[Text]":
        return self.query_one("#messages", DataTable)

    def _show_status(self, status: str, bad: bool = False) -> None:
        self.query_one("#status", Static).update(
            Text(sanitize(f"{self._subject}: {status}"), "bold red" if bad else "bold")
        )

    def _follow(self) -> None:
        while not self._stopping.is_set():
            self.post_message(self.Arrival(None))
            connected: bool | None = None  # so that even an empty first batch is shown: the topic can be read
            try:
                for batch in self._read(lambda: not self._stopping.is_set()):
                    if batch.read_count or batch.connected != connected:
                        self.post_message(self.Arrival(batch))
                        connected = batch.connected
                    else:
                        self._stopping.wait(POLL_INTERVAL)
            except (pulsar.PulsarException, AdminUnavailable) as error:
                self.post_message(self.Arrival(f"{type(error).__name__}: {error}"))
                self._stopping.wait(PAUSE)

    @on(Arrival)
    def _show(self, arrival: Arrival) -> None:
        match arrival.batch:
            case None:
                self._table.clear()
                self._seen.clear()
                self._read_count = 0
            case str(reason):
                self._show_status(f"away, trying again: {reason}", bad=True)
            case Batch(messages, read_count, connected):
                self._read_count += read_count
                self._append(messages)
                count = f"{len(self._seen)} messages shown, {self._read_count} read"
                self._show_status(count if connected else f"{count}; the broker is away, waiting for it", not connected)

    def _append(self, messages: Sequence[ReceivedMessage]) -> None:
        """Adds messages below; a cursor at the end stays there."""
        is_at_end = self._table.cursor_row >= self._table.row_count - 1
        for message in messages[-MAX_MESSAGES:]:
            cells = [Text(cell) for cell in to_row(message)]
            widen(self._table, cells)
            row_key = self._table.add_row(*cells)
            self._seen[row_key] = message
        for old in list(self._seen)[:-MAX_MESSAGES]:
            del self._seen[old]
            self._table.remove_row(old)
        if is_at_end and messages:
            self._table.move_cursor(row=self._table.row_count - 1)

    @on(DataTable.RowSelected)
    def _open(self, selected: DataTable.RowSelected) -> None:
        self.app.push_screen(MessageDetailScreen(self._seen[selected.row_key]))


class MessageDetailScreen(Screen[None]):
    """One message, with all that is known of it."""

    BINDINGS: ClassVar[list[BindingType]] = [BACK]

    def __init__(self, message: ReceivedMessage) -> None:
        super().__init__()
        self._message = message

    def compose(self) -> ComposeResult:
        text = json.dumps(to_dict(self._message), indent=2, ensure_ascii=False, default=str)
        with VerticalScroll():
            yield Static(Text(sanitize(text, "\n")))
        yield Footer()


class OrderPrompt(ModalScreen[str | None]):
    """Asks for an order's id; its result is the id, None if the prompt is left with escape."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "Back")]

    def compose(self) -> ComposeResult:
        yield Input(placeholder="order id (UUID)")
        yield Static(id="error")

    @on(Input.Submitted)
    def _submit(self, submitted: Input.Submitted) -> None:
        try:
            self.dismiss(str(UUID(submitted.value.strip())))
        except ValueError:
            self.query_one("#error", Static).update(Text(f"{submitted.value!r} is no UUID", "bold red"))
