"""Grafana's JSON: panels in rows, and what every dashboard has."""

from collections.abc import Sequence
from typing import Any, Final

ANCHO: Final = 24
"""Columns of Grafana's grid."""
FUENTE: Final = {"type": "prometheus", "uid": "${datasource}"}
Json = dict[str, Any]


def serie(expr: str, leyenda: str = "") -> Json:
    """One query of a panel; `leyenda` as "{{topic}}"."""
    return {"datasource": FUENTE, "expr": expr, "legendFormat": leyenda or "__auto"}


def grafica(titulo: str, *series: Json, unidad: str = "short", texto: str = "") -> Json:
    """Lines over time. `texto`: how to read it."""
    propias = {"drawStyle": "line", "fillOpacity": 10, "showPoints": "never", "spanNulls": False}
    return {
        "type": "timeseries",
        "title": titulo,
        "description": texto,
        "datasource": FUENTE,
        "targets": _nombradas(series),
        "fieldConfig": {"defaults": {"unit": unidad, "min": 0, "custom": propias}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
    }


def cifra(titulo: str, expr: str, unidad: str = "short", rojo: float | None = None, texto: str = "") -> Json:
    """One number; red from `rojo` on."""
    pasos: list[Json] = [{"color": "green", "value": None}]
    pasos += [] if rojo is None else [{"color": "red", "value": rojo}]
    return {
        "type": "stat",
        "title": titulo,
        "description": texto,
        "datasource": FUENTE,
        "targets": _nombradas([serie(expr)]),
        "fieldConfig": {
            "defaults": {"unit": unidad, "thresholds": {"mode": "absolute", "steps": pasos}, "noValue": "–"},
            "overrides": [],
        },
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background", "graphMode": "area"},
    }


def alertas(titulo: str) -> Json:
    """A table of what fires."""
    consulta = serie('ALERTS{alertstate="firing"}') | {"instant": True, "format": "table"}
    fuera = dict.fromkeys(("Time", "Value", "__name__", "alertstate"), True)
    return {
        "type": "table",
        "title": titulo,
        "description": "What to do: deployment/monitoring/RUNBOOK.md has a section for each.",
        "datasource": FUENTE,
        "targets": _nombradas([consulta]),
        "transformations": [{"id": "organize", "options": {"excludeByName": fuera}}],
    }


def nota(texto: str) -> Json:
    """Markdown."""
    return {"type": "text", "title": "", "options": {"mode": "markdown", "content": texto}}


def variable(nombre: str, valores: Sequence[str], todos: bool = True) -> Json:
    """A choice at the top of a dashboard; `todos` at once, at first."""
    actual = {"text": "All", "value": "$__all"} if todos else {"text": valores[0], "value": valores[0]}
    return {
        "type": "custom",
        "name": nombre,
        "query": ",".join(valores),
        "current": actual,
        "includeAll": todos,
        "multi": todos,
    }


def tablero(
    nombre: str, titulo: str, filas: Sequence[tuple[str, int, Sequence[Json]]], variables: Sequence[Json] = ()
) -> Json:
    """A dashboard; each row has a title, a height, and panels that share its width."""
    fuente = {"type": "datasource", "name": "datasource", "query": "prometheus", "label": "Prometheus"}
    return {
        "uid": f"monoliticas-{nombre}",
        "title": f"Monolíticas: {titulo}",
        "tags": ["monoliticas"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "links": [{"type": "dashboards", "tags": ["monoliticas"], "title": "Monolíticas", "keepTime": True}],
        "templating": {"list": [fuente, *variables]},
        "panels": _colocados(filas),
    }


def _colocados(filas: Sequence[tuple[str, int, Sequence[Json]]]) -> list[Json]:
    paneles: list[Json] = []
    y = 0
    for titulo, alto, propios in filas:
        sitios = [(0, y, ANCHO, 1)] if titulo else []
        encabezados: list[Json] = [{"type": "row", "title": titulo, "collapsed": False}] if titulo else []
        y += len(sitios)
        ancho = ANCHO // len(propios)
        sitios += [(numero * ancho, y, ancho, alto) for numero in range(len(propios))]
        for panel, sitio in zip([*encabezados, *propios], sitios, strict=True):
            paneles.append(panel | {"id": len(paneles) + 1, "gridPos": dict(zip("xywh", sitio, strict=True))})
        y += alto
    return paneles


def _nombradas(series: Sequence[Json]) -> list[Json]:
    return [{**s, "refId": chr(ord("A") + numero)} for numero, s in enumerate(series)]
