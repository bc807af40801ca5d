"""The report as rows of tables, for the terminal and for the page; and as text."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tests.load import life, peers
from tests.load.goals import figure, instances, judge
from tests.load.processes import platform_total

Table = tuple[str, list[str], list[list[str]]]
"""Title, head, rows."""
QUERIES: Final = ("list", "page deep inside", "a customer's newest", "one order")
"""What is asked of the read model while it grows."""


def text(data: Mapping[str, Any]) -> str:
    """For the terminal."""
    lines = [machine(data)]
    for title, head, rows in tables(data):
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines += ["", title, "", _line(head, widths), _line(["-" * width for width in widths], widths)]
        lines += [_line(row, widths) for row in rows]
    return "\n".join(lines) + "\n"


def machine(data: Mapping[str, Any]) -> str:
    m = data["maquina"]
    return (
        f"{m['fecha']}, version {m['version']}: {m['nucleos']} cores ({m['modelo']}), {m['memoria_gb']} GB, "
        f"Linux {m['kernel']}, Python {m['python']}; load before: {m['carga_antes']}"
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def tables(data: Mapping[str, Any]) -> Iterator[Table]:
    parts = data["partes"]
    yield _goals(parts)
    if errors := data["errores"]:
        yield "Failed", ["part", "error"], [[part, error] for part, error in errors.items()]
    if rounds := parts.get("http", {}).get("rondas"):
        yield _http(rounds)
    if single_orders := parts.get("sueltas"):
        yield _single_ordenes(single_orders)
    if front_door := parts.get("puerta"):
        yield _front_door(front_door)
    if traced := parts.get("traza"):
        yield _trace(traced)
    if compared := parts.get("peers"):
        yield peers.table(compared)
    if backlog := parts.get("atraso"):
        yield from _backlog(backlog)
    if lives := parts.get("vida"):
        yield life.table(lives)
    if ceiling := parts.get("techo"):
        yield _ceiling(ceiling, parts.get("atraso", {}).get("sagas_s"))
    if growth := parts.get("crecimiento"):
        yield _growth(growth["tamanos"])
    if scale := parts.get("escala"):
        yield _scale(scale)
    if footprint := parts.get("huella"):
        yield _footprint(footprint, parts.get("atraso", {}).get("memoria", {}))
    yield _startup(parts["arranque"] | parts.get("huella", {}).get("otra_vez", {}))


def _goals(parts: Mapping[str, Any]) -> Table:
    rows = [
        [
            j.goal.name,
            "–" if j.measured is None else figure(j.measured),
            j.goal.unit,
            f"{'≥' if j.goal.is_minimum else '≤'} {j.goal.value:,g}",
            j.goal.original,
            j.outcome,
        ]
        for j in judge(parts)
    ]
    return "Goals", ["what", "measured", "", "goal", "original", "verdict"], rows


def _http(rounds: Sequence[Mapping[str, Any]]) -> Table:
    head = ["format", "clients", "accepted/s", "sagas/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "CPU ms/order"]
    head += ["generator's CPU", "iniciada", "answers"]
    rows = []
    for r in rounds:
        latencies = [figure(r[name]) for name in ("p50_ms", "p95_ms", "p99_ms", "max_ms")]
        row = [r["tipo"], str(r["clientes"]), figure(r["aceptadas_s"]), figure(r["sagas_s"]), *latencies]
        row += [figure(platform_total(r["cpu_ms"])), f"{100 * r['parte_de_la_carga']:.0f} %"]
        responses = ", ".join(f"{n:,} × {status}" for status, n in r["respuestas"].items())
        rows.append([*row, f"{r['iniciadas']:,} of {r['aceptadas']:,}", responses])
    return "Over HTTP, closed loop", head, rows


def _single_ordenes(s: Mapping[str, Any]) -> Table:
    names = {
        "POST with Prefer: wait=10, until its answer": "espera",
        "POST, until a GET shows iniciada": "mirada",
        "POST, until 202": "aceptada",
    }
    rows = [[what, *(figure(value) for value in s[key].values())] for what, key in names.items()]
    return "Single orders, one at a time", ["ms", "p50", "p95", "p99", "max"], rows


def _trace(t: Mapping[str, Any]) -> Table:
    rows = [[hop, f"{values['p50_us']:,.0f}", f"{values['p95_us']:,.0f}"] for hop, values in t["saltos"].items()]
    rows.append(["POST with Prefer: wait=10, until its answer", f"{t['espera_us']:,.0f}", ""])
    return f"A single order, hop by hop, of {t['ordenes']} traced ones", ["hop", "p50 µs", "p95 µs"], rows


def _front_door(f: Mapping[str, Any]) -> Table:
    streams, waits, slow = f["flujos"], f["esperas"], f["lentas"]
    rows = [
        ["event streams at once, and how many of them saw the end", f"{streams['abiertos']}, {streams['terminados']}"],
        ["/health while they are opened, p99 ms", figure(streams["health_al_abrir"]["p99_ms"])],
        ["/health while they are open, p99 ms", figure(streams["health"]["p99_ms"])],
        ["/health while their orders end, p99 ms", figure(streams["health_al_terminar"]["p99_ms"])],
        ["the worker's memory with them, MB", figure(streams["memoria_mb"])],
        ["answers to Prefer: wait", ", ".join(f"{n} × {status}" for status, n in waits["respuestas"].items())],
        ["until these, p50 ms", figure(waits["p50_ms"])],
        ["/health meanwhile, p99 ms", figure(waits["health"]["p99_ms"])],
        ["orders accepted/s without slow connections", ", ".join(map(figure, slow["sin"]))],
        ["orders accepted/s beside them", ", ".join(map(figure, slow["con"]))],
        ["the worker's memory at the end, MB", figure(f["memoria_mb"])],
    ]
    return "The front door", ["what", ""], rows


def _backlog(a: Mapping[str, Any]) -> Iterator[Table]:
    rows = [
        ["orders", f"{a['ordenes']:,}"],
        ["s from the first until all are iniciada and in the saga log", figure(a["segundos"])],
        ["sagas/s", figure(a["sagas_s"])],
        ["s from the functions' start until the first order", figure(a["arranque_s"])],
        ["CPU ms for an order, all processes of the platform, until then", figure(a["cpu_total_ms"])],
    ]
    if "plazo_ms" in a:
        rows.append(["CPU ms for its check two minutes later", figure(a["plazo_ms"])])
    yield "Backlog", ["what", ""], rows
    by_cpu = sorted(a["cpu_ms"].items(), key=lambda pair: -pair[1])
    yield "Backlog: CPU ms for an order", ["component", "ms"], [[n, figure(v)] for n, v in by_cpu]
    stored_bytes = a["bytes_por_orden"].items()
    yield "Backlog: bytes stored for an order", ["where", "bytes"], [[n, f"{v:,.0f}"] for n, v in stored_bytes]


def _ceiling(t: Mapping[str, Any], backlog_rate: float | None) -> Table:
    rows = [
        ["broker alone: messages stored, read and acknowledged", figure(t["broker_ordenes_s"])],
        ["databases alone: statements committed", figure(t["bases_ordenes_s"])],
        ["ceiling: one after the other", figure(t["sagas_s"])],
    ]
    if backlog_rate is not None:
        rows.append(["backlog", figure(backlog_rate)])
    return f"Ceiling, {t['ordenes']:,} orders", ["what", "orders/s"], rows


def _growth(sizes: Sequence[Mapping[str, Any]]) -> Table:
    head = ["stored orders", "CPU ms/order", "sagas/s", *(f"{name}, p50 ms" for name in QUERIES)]
    rows = [
        [f"{t['guardadas']:,}", figure(t["cpu_ms"]), figure(t["sagas_s"]), *(figure(t["p50_ms"][n]) for n in QUERIES)]
        for t in sizes
    ]
    return "Growth", head, rows


def _scale(e: Mapping[str, Any]) -> Table:
    head = ["subscription", "instances", "messages/s", "× the first", "CPU ms/message", "of it the function"]
    head += ["messages out of order", "keys out of order"]
    rows = []
    for r in e["rondas"]:
        speedup = r["mensajes_s"] / e["rondas"][0]["mensajes_s"]
        figures = [r["mensajes_s"], speedup, r["cpu_ms"], r["cpu_funcion_ms"]]
        row = [r["modo"], str(r["paralelismo"]), *map(figure, figures)]
        row.append(f"{100 * r['mensajes_desordenados'] / e['mensajes']:.1f} %")
        rows.append([*row, f"{100 * r['claves_desordenadas'] / e['claves']:.0f} %"])
    title = f"Scale: {e['mensajes']:,} messages of {e['claves']} keys in {e['particiones']} partitions"
    return title, head, rows


def _footprint(h: Mapping[str, Any], after: Mapping[str, Any]) -> Table:
    head = ["component", "processes", "PSS MB", "RSS MB", "PSS MB after the backlog", "CPU ms each s"]
    functions = instances(h["memoria"])
    order = [*(n for n in h["memoria"] if n not in functions), *sorted(functions)]
    rows = []
    for name in order:
        used, cpu = h["memoria"][name], 1000 * h["cpu_por_s"].get(name, 0)
        pss, later = _pss(used), _pss(after.get(name, {}))
        rows.append([name, str(used["processes"]), pss, figure(used["rss"]), later, figure(cpu)])
    return "Idle", head, rows


def _pss(used: Mapping[str, Any]) -> str:
    return "–" if used.get("pss") is None else figure(used["pss"])


def _startup(steps: Mapping[str, float]) -> Table:
    return "Start", ["step", "s"], [[name, f"{seconds:.1f}"] for name, seconds in steps.items()]
