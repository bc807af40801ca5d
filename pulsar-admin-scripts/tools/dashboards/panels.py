"""Grafana's JSON: panels, their place on the grid, and what every dashboard has."""

from collections.abc import Sequence
from typing import Any, Final

WIDTH: Final = 24
"""Columns of Grafana's grid."""
DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
Json = dict[str, Any]


def target(expr: str, legend: str = "") -> Json:
    """One query of a panel. `legend`: how its lines are named, with labels as "{{topic}}"; else by all labels."""
    return {"datasource": DATASOURCE, "expr": expr, "legendFormat": legend or "__auto"}


def timeseries(title: str, *series: Json, unit: str = "short", text: str = "") -> Json:
    """A panel of lines over time, one for each series of `series`. `text`: how to read it."""
    custom = {"drawStyle": "line", "fillOpacity": 10, "showPoints": "never", "spanNulls": False}
    return {
        "type": "timeseries",
        "title": title,
        "description": text,
        "datasource": DATASOURCE,
        "targets": _with_ref_ids(series),
        "fieldConfig": {"defaults": {"unit": unit, "min": 0, "custom": custom}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
    }


def stat(title: str, expr: str, unit: str = "short", red_from: float | None = None, text: str = "") -> Json:
    """A panel of one number, green, and red from `red_from` on. `text`: how to read it."""
    steps: list[Json] = [{"color": "green", "value": None}]
    steps += [] if red_from is None else [{"color": "red", "value": red_from}]
    return {
        "type": "stat",
        "title": title,
        "description": text,
        "datasource": DATASOURCE,
        "targets": _with_ref_ids([target(expr)]),
        "fieldConfig": {
            "defaults": {"unit": unit, "thresholds": {"mode": "absolute", "steps": steps}, "noValue": "–"},
            "overrides": [],
        },
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background", "graphMode": "area"},
    }


def alerts(title: str) -> Json:
    """A panel with a table of the alerts that fire."""
    query = target('ALERTS{alertstate="firing"}') | {"instant": True, "format": "table"}
    excluded = dict.fromkeys(("Time", "Value", "__name__", "alertstate"), True)
    return {
        "type": "table",
        "title": title,
        "description": "What to do: deployment/monitoring/RUNBOOK.md has a section for each.",
        "datasource": DATASOURCE,
        "targets": _with_ref_ids([query]),
        "transformations": [{"id": "organize", "options": {"excludeByName": excluded}}],
    }


def note(text: str) -> Json:
    """A panel of text in Markdown."""
    return {"type": "text", "title": "", "options": {"mode": "markdown", "content": text}}


def variable(name: str, values: Sequence[str], include_all: bool = True) -> Json:
    """A choice at the top of a dashboard: of one value, or, with `include_all`, of any, and of all at first."""
    current = {"text": "All", "value": "$__all"} if include_all else {"text": values[0], "value": values[0]}
    return {
        "type": "custom",
        "name": name,
        "query": ",".join(values),
        "current": current,
        "includeAll": include_all,
        "multi": include_all,
    }


def dashboard(
    name: str, title: str, rows: Sequence[tuple[str, int, Sequence[Json]]], variables: Sequence[Json] = ()
) -> Json:
    """A dashboard. Each row has a title (empty for none), a height in the grid's rows, and panels that share its width.
    `name`: how it is found; `variables`: the choices at its top.
    """
    datasource = {"type": "datasource", "name": "datasource", "query": "prometheus", "label": "Prometheus"}
    return {
        "uid": f"monoliticas-{name}",
        "title": f"Monolíticas: {title}",
        "tags": ["monoliticas"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "links": [{"type": "dashboards", "tags": ["monoliticas"], "title": "Monolíticas", "keepTime": True}],
        "templating": {"list": [datasource, *variables]},
        "panels": _placed(rows),
    }


def _placed(rows: Sequence[tuple[str, int, Sequence[Json]]]) -> list[Json]:
    """The panels with their ids and places on the grid; a row's title is a panel above it."""
    panels: list[Json] = []
    y = 0
    for title, height, row_panels in rows:
        positions = [(0, y, WIDTH, 1)] if title else []
        headings: list[Json] = [{"type": "row", "title": title, "collapsed": False}] if title else []
        y += len(positions)
        width = WIDTH // len(row_panels)
        positions += [(number * width, y, width, height) for number in range(len(row_panels))]
        for panel, position in zip([*headings, *row_panels], positions, strict=True):
            panels.append(panel | {"id": len(panels) + 1, "gridPos": dict(zip("xywh", position, strict=True))})
        y += height
    return panels


def _with_ref_ids(series: Sequence[Json]) -> list[Json]:
    """The queries of a panel with their ids: A, B, …"""
    return [query | {"refId": chr(ord("A") + number)} for number, query in enumerate(series)]
