"""The report as one page for the browser, which needs no network."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from tests.load import charts, report
from tests.load.report import Table

_STYLE: Final = """
:root { color-scheme: light dark }
body { font: 15px/1.4 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 0 0 2rem } caption { text-align: left; font-weight: 600; padding: .3rem 0 }
th, td { border-bottom: 1px solid #8886; padding: .2rem .7rem; text-align: left }
td + td { font-variant-numeric: tabular-nums }
.graficas { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 1.5rem }
figure { margin: 0 }
svg { width: 100% } svg text { font: 12px system-ui, sans-serif } svg text:not([fill]) { fill: currentColor }
svg .titulo { font-weight: 600; font-size: 13px } .eje { stroke: #8886 }
.si { color: #2e8b57 } .no { color: #c0392b }"""


def html(data: Mapping[str, Any]) -> str:
    goals, *tables = map(_table, report.tables(data))
    figures = "".join(f"<figure>{chart}</figure>" for chart in _charts(data["partes"]))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Benchmark</title><style>{_STYLE}</style>'
        f"<h1>Benchmark</h1><p>{escape(report.machine(data))}</p>"
        f'{goals}<div class="graficas">{figures}</div>{"".join(tables)}</html>\n'
    )


def _table(table: Table) -> str:
    title, head, rows = table
    header_cells = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><caption>{escape(title)}</caption><tr>{header_cells}</tr>{body}</table>"


def _cell(cell: str) -> str:
    cls = {"reached": ' class="si"', "not reached": ' class="no"'}.get(cell.partition(":")[0], "")
    return f"<td{cls}>{escape(cell)}</td>"


def _charts(parts: Mapping[str, Any]) -> Iterator[str]:
    if rounds := parts.get("http", {}).get("rondas"):
        names = [str(r["clientes"]) for r in rounds if r["tipo"] == "json"]
        for title, fields in (
            ("Over HTTP: orders a second", {"accepted": "aceptadas_s", "ended": "sagas_s"}),
            ("Over HTTP: until the answer, in ms", {"p50": "p50_ms", "p99": "p99_ms"}),
        ):
            series = {
                f"{name}, {media_type}": list(enumerate(r[field] for r in rounds if r["tipo"] == media_type))
                for name, field in fields.items()
                for media_type in ("json", "xml")
            }
            yield charts.lines(title, series, "clients", names)
    if single_orders := parts.get("sueltas"):
        yield charts.lines("Single orders: ms each", {"ms": list(enumerate(single_orders["cada_una_ms"]))}, "order")
    if backlog := parts.get("atraso"):
        iniciadas = [(s, 100 * share) for s, share, _ in backlog["curva"]]
        steps = [(s, 100 * share) for s, _, share in backlog["curva"]]
        yield charts.lines("Backlog: % done", {"iniciada": iniciadas, "saga log": steps}, "s since the first order")
        yield charts.bars("Backlog: CPU ms for an order", backlog["cpu_ms"])
        yield charts.bars("Backlog: bytes stored for an order", backlog["bytes_por_orden"])
    if growth := parts.get("crecimiento"):
        sizes = growth["tamanos"]
        names = [f"{t['guardadas']:,}" for t in sizes]
        series = {"ms": list(enumerate(t["cpu_ms"] for t in sizes))}
        yield charts.lines("Growth: CPU ms for an order", series, "stored orders", names)
        series = {n: list(enumerate(t["p50_ms"][n] for t in sizes)) for n in report.QUERIES}
        yield charts.lines("Growth: until the answer, p50 in ms", series, "stored orders", names)
    if footprint := parts.get("huella"):
        used = {n: m["rss"] if m["pss"] is None else m["pss"] for n, m in footprint["memoria"].items()}
        yield charts.bars("Idle: memory in MB (PSS)", used)
