"""The same saga on a peer, in turn with ours: single orders, a closed loop over HTTP, a backlog.

The peer is Restate with its TypeScript SDK, one node, its log and PostgreSQL with fsync, in a folder that holds its
programs and a `run.sh PEER ORDERS CLIENTS` which prints one JSON line for each scenario. Our platform is idle
meanwhile. Machines differ, and so do hours: only the ratios count.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from tests.load import backlog, over_http
from tests.load.bench import Bench
from tests.load.figures import log
from tests.load.goals import figure
from tests.load.processes import platform_total
from tests.load.requests import JSON

PEER: Final = "restate_ts"
SETTINGS: Final = {"PART": "4", "POOL": "16", "N1": "300"}
"""The peer's best ones that were found; and the number of its single orders, the same as ours."""
ORDERS: Final = 2000
CLIENTS: Final = 64
SINGLE: Final = 300
ROUNDS: Final = 2
"""Ours first: in the first one both are new, and the broker is still being compiled."""
SCENARIOS: Final = {"single": "p50_ms", "closed": "sagas_s", "backlog": "sagas_s"}
"""The peer's scenarios, and the figure of each that is compared."""


def measure(bench: Bench) -> dict[str, Any]:
    """Nothing if no folder of a peer is named."""
    folder = bench.sizes.peers
    if folder is None:
        log("peers: left out, because no folder of theirs is named")
        return {}
    return {"par": PEER, "rondas": [{"nuestra": _ours(bench), "par": _theirs(folder)} for _ in range(ROUNDS)]}


def _ours(bench: Bench) -> dict[str, float]:
    single = over_http.single_orders(replace(bench, sizes=replace(bench.sizes, single_orders=SINGLE)))
    closed = over_http.run_round(bench, JSON, CLIENTS)
    waiting = backlog.run(bench.platform, ORDERS)
    return {
        "single": single["espera"]["p50_ms"],
        "closed": closed["sagas_s"],
        "backlog": waiting["sagas_s"],
        "cpu_closed": platform_total(closed["cpu_ms"]),
        "cpu_backlog": waiting["cpu_total_ms"],
    }


def _theirs(folder: Path) -> dict[str, float]:
    log(f"{PEER}: {ORDERS} orders, {CLIENTS} clients, {SINGLE} single orders …")
    command = [str(folder / "run.sh"), PEER, str(ORDERS), str(CLIENTS)]
    process = subprocess.run(command, env=os.environ | SETTINGS, capture_output=True, text=True)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}: {process.stderr[-500:]}")
    lines = [json.loads(line) for line in process.stdout.splitlines() if line.startswith("{")]
    scenarios: Mapping[str, Any] = {line["escenario"]: line for line in lines}
    wrong = [name for name in (*SCENARIOS, "compensacion") if not scenarios[name]["correcto"]]
    if wrong:
        raise RuntimeError(f"{PEER} was wrong in {', '.join(wrong)}")
    found = {name: float(scenarios[name][member]) for name, member in SCENARIOS.items()}
    return found | {f"cpu_{name}": float(scenarios[name]["cpu_ms_orden"]) for name in ("closed", "backlog")}


def table(p: Mapping[str, Any]) -> tuple[str, list[str], list[list[str]]]:
    """What `measure` found, for the report."""
    names = {
        "single": ("single order until its answer, p50 ms", "≤ 1.0"),
        "closed": ("sagas/s over HTTP, closed loop of 64 clients", "≥ 5"),
        "backlog": ("sagas/s of a backlog", "≥ 5"),
        "cpu_closed": ("CPU ms for an order of the closed loop", ""),
        "cpu_backlog": ("CPU ms for an order of the backlog", ""),
    }
    rows = [
        [name, str(number), figure(r["nuestra"][key]), figure(r["par"][key]), _ratio(r["nuestra"], r["par"], key), goal]
        for key, (name, goal) in names.items()
        for number, r in enumerate(p["rondas"], 1)
    ]
    for number, r in enumerate(p["rondas"], 1):
        ratio = r["nuestra"]["cpu_closed"] / r["nuestra"]["cpu_backlog"]
        rows.append(
            ["our CPU for an order over HTTP, for each of a backlog", str(number), "", "", f"{ratio:.2f}", "≤ 2"]
        )
    return f"In turn with {p['par']}", ["what", "round", "ours", "theirs", "ratio", "goal"], rows


def _ratio(ours: Mapping[str, float], theirs: Mapping[str, float], key: str) -> str:
    return f"{ours[key] / theirs[key]:.2f}"
