"""The live view, driven by its keys: what is on the screen when the cluster changes, goes away and comes back.

Longer than 200 lines: its tests share what drives the view and reads the screen.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import pulsar
import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, TabbedContent
from tools.messages.received import ReceivedMessage
from tools.messages.writer_schemas import Decoded
from tools.monitor.app import Monitor
from tools.monitor.source import Observation

from tests.support.fake_monitor import EXPECTED, NOW, FakeMessageReader, FakeSource, altered, healthy, stats, status

CREAR, ORDEN = "ordenes/comando-crear-orden", "00000000-0000-4000-8000-00000000000a"
STOPPED = altered(healthy(), function="ordenes/crear-orden", response=status(running=False, error="no python3"))
Scenario = Callable[["View"], Awaitable[None]]


class View:
    """The view, and what a person sees of it."""

    def __init__(self, monitor: Monitor, pilot: Pilot[int]) -> None:
        self.monitor, self._pilot = monitor, pilot

    @property
    def screen(self) -> str:
        return "\n".join(
            "".join(part.text for part in strip) for strip in self.monitor.screen._compositor.render_strips()
        )

    async def keys(self, *keys: str) -> None:
        await self._pilot.press(*keys)

    async def open_topic(self, topic: str) -> None:
        cursor = self.monitor.query_one("#topics DataTable", DataTable).get_row_index(topic)
        await self.keys("1", *["down"] * cursor, "enter")

    async def until(self, *texts: str, without: str = "\0") -> None:
        """Until the screen shows all of them."""
        for _ in range(9000):  # three minutes, as wait_for
            await self._pilot.pause(0.02)
            if all(text in self.screen for text in texts) and without not in self.screen:
                return
        raise AssertionError(f"{texts} not shown, or still {without!r}:\n{self.screen}")


def observe(
    source: FakeSource,
    scenario: Scenario,
    message_source: FakeMessageReader | None = None,
    size: tuple[int, int] = (140, 30),
) -> None:
    """Uses the view, and quits."""
    message_source = message_source or FakeMessageReader({})

    async def run() -> None:
        monitor = Monitor(source, EXPECTED, message_source, 0.3, 60)
        async with monitor.run_test(size=size) as pilot:
            await scenario(View(monitor, pilot))
            await pilot.press("q")

    asyncio.run(run())
    assert message_source.closed.is_set()


def message(topic: str, **data: object) -> ReceivedMessage:
    decoded = Decoded({"type": topic.partition("/")[2], "data": data}, "schema version 0")
    return ReceivedMessage(topic, topic, "clave", "2026-11-24T10:00:00.000Z", "(1,2,-1,-1)", 0, {}, b"", decoded)


def test_what_changes_in_the_cluster_changes_on_the_screen() -> None:
    source = FakeSource(healthy())

    async def scenario(view: View) -> None:
        await view.until("08:00:00Z http://cluster healthy", CREAR)
        source.now = STOPPED
        await view.until("UNHEALTHY, 1 problems: function ordenes/crear-orden runs 0 of 1 instances: no python3")
        await view.keys("3")
        await view.until("Functions 1!", "not running  ordenes/crear-orden", "0/1")
        await view.keys("5")
        await view.until("not running  function ordenes/crear-orden runs 0 of 1")
        source.now = healthy(timestamp=NOW + 2)
        await view.until("08:00:02Z http://cluster healthy", without="not running")

    observe(source, scenario)


def test_a_topic_that_comes_and_goes_moves_no_other_row_under_the_cursor() -> None:
    source = FakeSource(healthy())

    async def scenario(view: View) -> None:
        await view.until(CREAR)
        await view.keys("1", "down", "down")
        table = view.monitor.query_one("#topics DataTable", DataTable)
        before = table.cursor_row, table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value
        source.now = altered(healthy(), "a/nuevo", response=stats())
        await view.until("a/nuevo")
        now = table.cursor_row, table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value
        assert (before[0] + 1, before[1]) == now

    observe(source, scenario)


def test_a_cluster_that_goes_away_is_said_and_is_back_by_itself() -> None:
    source = FakeSource("http://cluster does not answer: refused")

    async def scenario(view: View) -> None:
        await view.until("AWAY: http://cluster does not answer: refused", without="below")
        source.now = healthy()
        await view.until("healthy", CREAR)
        source.now = "http://cluster does not answer: gone"
        await view.until("AWAY: http://cluster does not answer: gone; below, how it was at 08:00:00Z", CREAR)
        source.now = healthy(timestamp=NOW + 60)
        await view.until("08:01:00Z http://cluster healthy", without="AWAY")

    observe(source, scenario)


def test_a_restart_stays_on_the_screen_for_ten_seconds_of_observations() -> None:
    source, function = FakeSource(healthy()), "ordenes/crear-orden"

    def later(seconds: float, restarts: int) -> Observation:
        return altered(healthy(timestamp=NOW + seconds), function=function, response=status(numRestarts=restarts))

    async def scenario(view: View) -> None:
        await view.until("healthy")
        for seconds in (2, 4):
            source.now = later(seconds, 1)
            await view.until(f"08:00:0{seconds}Z", f"function {function} restarted 1 times")
        for seconds in (13, 15):
            source.now = later(seconds, 1)
            await view.until(f"08:00:{seconds}Z")
        await view.until("healthy", without="restarted")

    observe(source, scenario)


@pytest.mark.parametrize("size", [(40, 10), (5, 3)])
def test_a_small_terminal_does_no_harm(size: tuple[int, int]) -> None:
    source = FakeSource(STOPPED)

    async def scenario(view: View) -> None:
        await view.keys("1", "down", "enter", "escape", "5", "o", "escape")
        assert not view.monitor.screen.is_modal

    observe(source, scenario, size=size)


def test_a_topics_messages_come_as_they_are_published_and_one_is_shown_whole() -> None:
    messages = {CREAR: [message(CREAR, id_orden=ORDEN, user_id=f"ana \x1b[31m{n}") for n in range(300)]}

    async def scenario(view: View) -> None:
        await view.until(CREAR)
        await view.open_topic(CREAR)
        await view.until(f"{CREAR}: 200 messages shown, 300 read", "ana \\u001b[31m299")
        messages[CREAR].append(message(CREAR, id_orden=ORDEN, user_id="eva"))
        await view.until("200 messages shown, 301 read", '"user_id": "eva"')
        await view.keys("enter")
        await view.until('"schema_version": 0,', '"user_id": "eva"')
        await view.keys("escape", "escape")
        await view.until("OUT/s")
        await view.keys("2", "enter")
        await view.until("conductores/comando-asignar-conductor: 0 messages shown, 0 read")
        await view.keys("3")
        await view.until("PROCESSED")

    observe(FakeSource(healthy()), scenario, FakeMessageReader(messages))


def test_an_orders_messages_are_asked_for_by_its_id() -> None:
    message_source = FakeMessageReader(
        {ORDEN: [message(CREAR, id_orden=ORDEN), message("ordenes/evento-orden", **{"estado": "creada"})]}
    )

    async def scenario(view: View) -> None:
        await view.until(CREAR)
        await view.keys("o", "x", "enter")
        await view.until("'x' is no UUID")
        view.monitor.screen.query_one(Input).value = f" {ORDEN.upper()} "  # pasted
        await view.keys("enter")
        await view.until(f"order {ORDEN}: 2 messages shown", "ordenes/evento-orden", '{"estado": "creada"}')

    observe(FakeSource(healthy()), scenario, message_source)


def test_a_broker_that_can_not_be_read_is_tried_again() -> None:
    message_source = FakeMessageReader({CREAR: [message(CREAR, id_orden=ORDEN)]}, failures=[pulsar.Timeout("gone")])

    async def scenario(view: View) -> None:
        await view.until(CREAR)
        await view.open_topic(CREAR)
        await view.until(f"{CREAR}: away, trying again: Timeout: gone")
        await view.until("1 messages shown, 1 read", without="away")

    observe(FakeSource(healthy()), scenario, message_source)


@pytest.mark.parametrize("trigger", ["ctrl+c", "SIGTERM"])
def test_ctrl_c_and_sigterm_end_it_with_130(trigger: str) -> None:
    async def run() -> None:
        message_source = FakeMessageReader({})
        monitor = Monitor(FakeSource(healthy()), EXPECTED, message_source, 0.3, 60)
        async with monitor.run_test() as pilot:
            await View(monitor, pilot).until("healthy")
            if trigger == "SIGTERM":
                os.kill(os.getpid(), signal.SIGTERM)
            else:
                await pilot.press(trigger)
            await asyncio.to_thread(message_source.closed.wait, 10)
        assert (monitor.return_value, message_source.closed.is_set()) == (130, True)

    asyncio.run(run())


def test_the_first_sheet_is_that_of_the_topics() -> None:
    async def scenario(view: View) -> None:
        assert view.monitor.query_one(TabbedContent).active == "topics"

    observe(FakeSource(healthy()), scenario)
