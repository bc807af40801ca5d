"""Draws the dashboards' panels from what a Prometheus holds: deployment/monitoring/pictures/*.png, for documentation.

Grafana shows the same queries as they change. Needs `make setup` (matplotlib).
"""

import argparse
import json
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from urllib.request import urlopen

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from functions.messages.topics import PREFIX
from tools.dashboards.cli import FOLDER
from tools.errors import ToolError

PICTURES: Final = FOLDER.parent / "pictures"
POINTS: Final = 180
"""Points of each line."""
ROW_INCHES: Final = 0.6
"""The height of a row of Grafana's grid, whose 24 columns are 16 inches wide."""
LEGEND_ROWS: Final = 2.4
"""Rows below a panel's lines that are left for their names."""
NAMED_LINES: Final = 8
"""How many lines of a panel are named: the highest ones."""
EXAMPLES: Final = {"topic": "productos/comando-disminuir-stock"}
"""The choices at the top of dashboards: of every other variable all values are chosen."""
UNIT_LABELS: Final = {"s": "s", "ops": "per s", "bytes": "bytes"}
Series = tuple[Mapping[str, str], list[tuple[float, float]]]
"""A line: its labels, and its points as (minutes before now, value)."""


class Prometheus:
    """What a Prometheus holds of the last minutes. OSError if it can't be asked."""

    def __init__(self, url: str, minutes: float) -> None:
        self._url = url
        self._seconds = 60 * minutes

    def series(self, expr: str) -> list[Series]:
        """What a query answers: a line for each of its series."""
        now = time.time()
        parameters = {"query": expr, "start": now - self._seconds, "end": now, "step": self._seconds / POINTS}
        with urlopen(f"{self._url}/api/v1/query_range?{urlencode(parameters)}", timeout=30) as response:
            rows = json.load(response)["data"]["result"]
        return [(row["metric"], [((float(t) - now) / 60, float(v)) for t, v in row["values"]]) for row in rows]


def draw(dashboard: Mapping[str, Any], prometheus: Prometheus, output_path: Path) -> None:
    """Draws a dashboard, given as Grafana's JSON, into a file."""
    panels = [panel for panel in dashboard["panels"] if panel["type"] not in ("row", "text")]
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels) + 1
    figure = Figure(figsize=(16, ROW_INCHES * rows))
    figure.text(0.01, 1 - 0.6 / rows, dashboard["title"], fontsize=14)
    for panel in panels:
        x, y, width, height = (panel["gridPos"][dimension] for dimension in "xywh")
        bottom = LEGEND_ROWS if panel["type"] == "timeseries" else 0.2
        position = (x + 0.7, rows - 1 - y - height + bottom, width - 1, height - bottom - 0.8)
        axes = figure.add_axes((position[0] / 24, position[1] / rows, position[2] / 24, position[3] / rows))
        axes.set_title(panel["title"], fontsize=9, loc="left")
        results = [(query, prometheus.series(_substituted(query["expr"]))) for query in panel["targets"]]
        {"timeseries": _lines, "stat": _stat, "table": _table}[panel["type"]](axes, panel, results)
    figure.savefig(output_path, dpi=70)


def _substituted(expr: str) -> str:
    """The query with values for the dashboard's variables."""
    return re.sub(r"\$(\w+)", lambda variable: EXAMPLES.get(variable[1], ".+"), expr)


def _lines(axes: Axes, panel: Mapping[str, Any], results: Iterable[tuple[Mapping[str, Any], list[Series]]]) -> None:
    peaks: list[tuple[float, Line2D]] = []
    for query, series in results:
        for labels, points in series:
            name = _name(query["legendFormat"], labels)
            (line,) = axes.plot(*zip(*points, strict=True), label=name, linewidth=1.2)
            peaks.append((max(value for _, value in points), line))
    axes.set_ylim(bottom=0)
    axes.set_ylabel(UNIT_LABELS.get(panel["fieldConfig"]["defaults"]["unit"], ""), fontsize=7)
    axes.tick_params(labelsize=7)
    axes.grid(alpha=0.3)
    highest = [line for _, line in sorted(peaks, key=lambda peak: -peak[0])[:NAMED_LINES]]
    if highest:
        axes.legend(handles=highest, fontsize=6, loc="upper left", bbox_to_anchor=(0, -0.12), ncols=2, frameon=False)


def _name(legend: str, labels: Mapping[str, str]) -> str:
    """A line's name, with topics as short names."""
    name = re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], ""), legend)
    return name.replace(PREFIX, "")


def _stat(axes: Axes, panel: Mapping[str, Any], results: Iterable[tuple[Mapping[str, Any], list[Series]]]) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    values = [points[-1][1] for _, series in results for _, points in series]
    red_from = next((step["value"] for step in defaults["thresholds"]["steps"] if step["color"] == "red"), None)
    bad = any(red_from is not None and value >= red_from for value in values)
    axes.set_facecolor("#c4162a" if bad else "#37872d")
    number_format = ",.0f" if values and values[0] >= 100 else ".3g"
    text = f"{values[0]:{number_format}} {UNIT_LABELS.get(defaults['unit'], '')}" if values else defaults["noValue"]
    axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=16, color="white")
    axes.set(xticks=[], yticks=[])


def _table(axes: Axes, _: Mapping[str, Any], results: Iterable[tuple[Mapping[str, Any], list[Series]]]) -> None:
    rows = [
        f"{labels['alertname']} {labels.get('name', labels.get('topic', ''))}"
        for _, series in results
        for labels, points in series
        if points[-1][0] > -0.5
    ]
    axes.text(0.03, 0.95, "\n".join(sorted(set(rows))[:12]) or "none", va="top", fontsize=7)
    axes.set(xticks=[], yticks=[])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090", help="its URL (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=10, help="until now (default 10)")
    parser.add_argument("--output", type=Path, default=PICTURES, help="folder (default deployment/monitoring/pictures)")
    args = parser.parse_args()
    mpl.use("agg")
    args.output.mkdir(parents=True, exist_ok=True)
    prometheus = Prometheus(args.prometheus.rstrip("/"), args.minutes)
    try:
        for file in sorted(FOLDER.glob("*.json")):
            output_path = args.output / f"{file.stem}.png"
            draw(json.loads(file.read_text("utf-8")), prometheus, output_path)
            print(output_path)
    except OSError as error:
        reason = f"Prometheus at {args.prometheus} does not answer: {error}"
        raise ToolError(f"{reason}; `make prometheus` starts one") from error
    return 0
