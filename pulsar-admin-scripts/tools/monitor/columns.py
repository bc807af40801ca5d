"""Columns that are as wide as their longest cell from the moment that the cell is there.

A DataTable can measure its columns by itself, but does so once it is idle. What is drawn before then is cut to the old
widths, and stays so until another cell changes: Textual 8.2 keeps drawn rows by what changed, not by their widths.
"""

from collections.abc import Iterable

from rich.text import Text
from textual.widgets import DataTable


def add_columns(table: "DataTable[Text]", headers: Iterable[str]) -> None:
    """Adds columns as wide as their headers, which are their keys as well."""
    for head in headers:
        table.add_column(head, width=len(head), key=head)


def widen(table: "DataTable[Text]", cells: Iterable[Text]) -> None:
    """Makes room for a row, one cell for each column; to be called before the row is shown."""
    for column, cell in zip(table.ordered_columns, cells, strict=True):
        column.width = max(column.width, cell.cell_len)
