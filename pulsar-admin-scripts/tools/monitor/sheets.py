"""The tables of the live view, each on a sheet of its own."""

from collections.abc import Sequence
from typing import Final

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import DataTable, TabbedContent, TabPane

from tools.monitor.columns import add_columns, widen
from tools.monitor.health import Complaint
from tools.monitor.table import HEADERS, LEFT_ALIGNED, Row, Sheet
from tools.terminal import sanitize

PROBLEMS: Final = "Problems"
TITLES: Final = {**HEADERS, PROBLEMS: ("WHAT",)}


class Sheets(TabbedContent):
    """All tables, of which one is shown; a tab says how many of its rows are unhealthy."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, tuple[Row, ...]] = {}

    def compose(self) -> ComposeResult:
        for title in TITLES:
            self.compose_add_child(TabPane(title, DataTable[Text](cursor_type="row"), id=_id(title)))
        yield from super().compose()

    def on_mount(self) -> None:
        for title, headers in TITLES.items():
            add_columns(self._table(title), ("STATE", *headers))

    def show(self, title: str) -> None:
        """Brings a table to the front, where the keys move its cursor."""
        self.active = _id(title)
        self._table(title).focus()

    def fill(self, sheet: Sheet) -> None:
        """Shows the rows of a sheet. Changes only what changed, so that cursor and scrolling stay."""
        before = self._rows.get(sheet.title, ())
        table = self._table(sheet.title)
        if before == sheet.rows:
            return
        self._rows[sheet.title] = sheet.rows
        unhealthy = sum(row.status != "ok" for row in sheet.rows)
        label = f"{sheet.title} {unhealthy}!" if unhealthy else sheet.title
        self.get_tab(_id(sheet.title)).label = label
        if [row.key for row in before] != [row.key for row in sheet.rows]:
            self._rebuild(table, sheet, before)
            return
        for old, row in zip(before, sheet.rows, strict=True):
            if old != row:
                cells = _cells(sheet, row)
                widen(table, cells)
                for head, cell in zip(("STATE", *sheet.headers), cells, strict=True):
                    table.update_cell(row.key, head, cell, update_width=True)

    def _rebuild(self, table: "DataTable[Text]", sheet: Sheet, before: Sequence[Row]) -> None:
        """Fills a table anew. The cursor stays on what it was on, if that is still there."""
        position = table.cursor_row
        keys = [row.key for row in sheet.rows]
        table.clear()
        for row in sheet.rows:
            cells = _cells(sheet, row)
            widen(table, cells)
            table.add_row(*cells, key=row.key)
        if position < len(before) and before[position].key in keys:
            position = keys.index(before[position].key)
        table.move_cursor(row=min(position, len(keys) - 1))

    def _table(self, title: str) -> "DataTable[Text]":
        return self.query_one(f"#{_id(title)} DataTable", DataTable)


def problems(complaints: Sequence[Complaint]) -> Sheet:
    """The table of everything that is unhealthy."""
    rows = (Row(f"{c.subject} {c.resource} {c.status}", c.status, (sanitize(c.text),)) for c in complaints)
    return Sheet(PROBLEMS, TITLES[PROBLEMS], tuple(rows))


def _cells(sheet: Sheet, row: Row) -> list[Text]:
    style = "" if row.status == "ok" else "bold red"
    cells = [Text(row.status, style, justify="left")]
    for head, cell in zip(sheet.headers, row.cells, strict=True):
        cells.append(Text(cell, style, justify="left" if head in LEFT_ALIGNED else "right"))
    return cells


def _id(title: str) -> str:
    return title.lower().replace(" ", "-")
