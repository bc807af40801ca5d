"""The live view: reads the cluster again and again, in a thread; one that is unavailable is waited for."""

import asyncio
import signal
from collections import deque
from datetime import UTC, datetime
from functools import partial
from typing import ClassVar, Final

from rich.text import Text
from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import DataTable, Footer, Static

from functions.cluster.admin_rest import AdminUnavailable
from tools.monitor.detail import MessagesScreen, OrderPrompt
from tools.monitor.figures import frame
from tools.monitor.health import complaints
from tools.monitor.messages import MessageSource
from tools.monitor.sheets import TITLES, Sheets, problems
from tools.monitor.source import Expected, Observation, Source
from tools.monitor.table import sheets
from tools.terminal import sanitize

WINDOW: Final = 10.0
"""Rates and restarts are those of the last so many seconds, or since the previous observation if it is older."""
INTERRUPTED: Final = 130
"""The exit code of Ctrl-C and SIGTERM."""


class Monitor(App[int]):
    """The whole view: a line that says how the cluster is, the tables, and the keys. Its result is the exit code.

    Textual calls `compose`, the `on_…` and the `action_…` methods. It never asks for two observations at a time.
    """

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #status { height: auto; max-height: 3; }
    #messages, DataTable { height: 1fr; }
    TabPane { padding: 0; }
    OrderPrompt { align: center middle; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "interrupt", show=False, priority=True),
        Binding("o", "find_order", "Order"),
        *(Binding(str(number), f"show_sheet('{title}')", title) for number, title in enumerate(TITLES, 1)),
    ]

    class View(Message):
        """From the thread that reads the cluster: an observation, or why there is none."""

        def __init__(self, observation: Observation | str) -> None:
            super().__init__()
            self.observation = observation

    def __init__(
        self, source: Source, desired: Expected, message_source: MessageSource, interval: float, max_age: float
    ) -> None:
        """`interval`: seconds between two observations; `max_age`: seconds that a message may wait and be healthy."""
        super().__init__()
        self._source, self._desired, self._message_source = source, desired, message_source
        self._interval, self._max_age = interval, max_age
        self._earlier: deque[Observation] = deque()
        self._observing = False

    def compose(self) -> ComposeResult:
        yield Static(id="status")
        yield Sheets()
        yield Footer()

    def on_mount(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.action_interrupt)
        self._status(f"looking at {self._source.url} …")
        self.set_interval(self._interval, self._observe)
        self._observe()

    def on_unmount(self) -> None:
        self._message_source.close()

    def action_interrupt(self) -> None:
        self.exit(INTERRUPTED)

    def action_show_sheet(self, title: str) -> None:
        while len(self.screen_stack) > 1:
            self.pop_screen()
        self.query_one(Sheets).show(title)

    def action_find_order(self) -> None:
        def selected(id_orden: str | None) -> None:
            if id_orden:
                read = partial(self._message_source.by_orden, id_orden)
                self.push_screen(MessagesScreen(f"order {id_orden}", read))

        self.push_screen(OrderPrompt(), selected)

    def _observe(self) -> None:
        if not self._observing:
            self._observing = True
            self.run_worker(self._observe_once, thread=True)

    def _observe_once(self) -> None:
        try:
            self.post_message(self.View(self._source.observe()))
        except AdminUnavailable as error:
            self.post_message(self.View(str(error)))

    @on(View)
    def _show(self, view: View) -> None:
        self._observing = False
        if not self.query("#status"):
            return  # it comes too late: the view is being closed
        if isinstance(view.observation, str):
            self._show_unavailable(view.observation)
        else:
            self._show_observation(view.observation)

    def _show_unavailable(self, reason: str) -> None:
        last = f"; below, how it was at {_timestamp(self._earlier[-1].timestamp)}" if self._earlier else ""
        self._status(f"AWAY: {reason}{last}", bad=True)

    def _show_observation(self, observation: Observation) -> None:
        while len(self._earlier) > 1 and observation.timestamp - self._earlier[0].timestamp > WINDOW:
            self._earlier.popleft()
        seen = frame(observation, self._desired, self._earlier[0] if self._earlier else None)
        self._earlier.append(observation)
        unhealthy = complaints(seen, self._max_age)
        summary = f"UNHEALTHY, {len(unhealthy)} problems: {unhealthy[0].text}" if unhealthy else "healthy"
        self._status(f"{_timestamp(observation.timestamp)} {self._source.url} {summary}", bad=bool(unhealthy))
        for sheet in [*sheets(seen, unhealthy), problems(unhealthy)]:
            self.query_one(Sheets).fill(sheet)

    @on(DataTable.RowSelected)
    def _open(self, selected: DataTable.RowSelected) -> None:
        topic = str(selected.row_key.value).split(" ")[0]
        if self._earlier and topic in self._earlier[-1].topics:
            self.push_screen(MessagesScreen(topic, partial(self._message_source.by_topic, topic)))

    def _status(self, text: str, bad: bool = False) -> None:
        self.query_one("#status", Static).update(Text(sanitize(text), "bold red" if bad else "bold"))


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%H:%M:%SZ")
