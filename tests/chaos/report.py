"""A chaos run as text."""

import os
import platform as machine
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from tests.chaos import rolling
from tests.chaos.chaos import Result
from tests.chaos.invariants import ALL
from tests.chaos.log import lifetimes, longest_stall, recoveries

MAX_LISTED = 10
"""So many violations of one invariant are listed."""
GOALS = {"bookie": "1", "broker": "10", "functions-worker": "6", "bff": "1", "postgres": "15"}
"""In a cluster: how long orders may pause for each kind of node that is lost, in s."""
TIMEOUT = 120
"""The first wait of DEMORAS in deployment/functions/crear-orden.yaml, in s. What needs it is not lost, but shows that
something was.
"""


def text(result: Result) -> str:
    """Markdown."""
    return "\n".join([*_head(result), *_faults(result), *_ordenes(result), *_invariants(result)]) + "\n"


def of_upgrade(r: rolling.Result) -> str:
    """Markdown about a rolling upgrade."""
    return "\n".join(_upgrade(r)) + "\n"


def _upgrade(r: rolling.Result) -> Iterator[str]:
    yield ""
    yield "## Rolling upgrade"
    yield ""
    yield f"{len(r.log.accepted)} orders came while each node was restarted, and each function got a new configuration."
    verdict = "FAILED" if r.broken_invariants else "All invariants hold, and no request failed for good"
    yield f"{verdict}; longest stall {longest_stall(r.log)[0]:.1f} s."
    yield ""
    yield from _table(("restarted", "s"), [(name, f"{seconds:.1f}") for name, seconds in r.steps])
    for name, broken in r.broken_invariants.items():
        yield f"\n{name}:\n"
        yield from (f"- {violation}" for violation in sorted(broken)[:MAX_LISTED])


def _head(r: Result) -> Iterator[str]:
    a = r.settings
    broken = sum(map(len, r.broken_invariants.values()))
    yield "# Chaos: the latest report"
    yield ""
    command = "python -m tests.chaos.run" + (" --cluster" if r.cluster else "")
    yield f"Written by `{command}`, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {_machine()}."
    yield ""
    verdict = f"FAILED: {broken} violations" if broken else "All invariants hold"
    yield f"**{verdict}** after {len(r.log.faults)} faults"
    yield f"in {a.seconds / 60:g} min (one every {a.interval:g} s on average),"
    yield f"while {a.rate:g} orders a second were sent."
    yield f"Seed {a.seed}."
    yield ""


def _machine() -> str:
    return f"{os.cpu_count()} cores, Linux {machine.release()}, Python {machine.python_version()}"


def _faults(r: Result) -> Iterator[str]:
    yield "## Faults and recovery"
    yield ""
    yield "Median / longest, in s, from the kill: until the service was ready again (an instance: its worker sees to"
    yield "it); until an order sent after the kill was accepted; until the first order sent after it had ended."
    yield "Faults overlap, and a time holds what other faults added to it."
    yield ""
    goals = GOALS if r.cluster else {}
    rows = [
        (f.kind, str(f.count), _pair(f.downtime), _pair(f.accepted), _pair(f.ended), goals.get(f.kind, "–"))
        for f in recoveries(r.log)
    ]
    yield from _table(("killed", "times", "ready again", "next order accepted", "next order ended", "goal"), rows)
    yield ""
    victims = Counter(f.what for f in r.log.faults if f.kind == "instance")
    yield "Instances killed: " + (", ".join(f"{q} {n}" for q, n in sorted(victims.items())) or "none") + "."
    yield ""
    pause, when = longest_stall(r.log)
    yield f"Longest stall (no order ended although some were open): {pause:.1f} s, until second {when:.0f}."
    drained = "Still not drained" if r.broken_invariants else "All drained"
    yield f"{drained} {r.drain_time:.1f} s after the last request."
    yield ""
    yield f"Incidents (what nobody asked for): {len(r.log.incidents)}"
    yield from (f"- {incident}" for incident in r.log.incidents)
    yield ""


def _ordenes(r: Result) -> Iterator[str]:
    yield "## Orders"
    yield ""
    ordenes, reg, rep = r.state.ordenes, r.log, r.repetitions
    final_states = Counter(f"{o.estado}{f' ({o.motivo})' if o.motivo else ''}" for o in ordenes.values())
    yield from _table(("answer", "times"), [(q, str(n)) for q, n in sorted(reg.responses.items())])
    yield ""
    yield from _table(("end of orders", "number"), [(q, str(n)) for q, n in sorted(final_states.items())])
    yield ""
    ordenes_without_202 = len(set(map(str, ordenes)) - reg.accepted.keys())
    conductores_without_202 = len(set(map(str, r.state.conductores)) - reg.conductores)
    yield f"Accepted: {len(reg.accepted)} orders, {len(reg.conductores)} drivers. There as well, although no 202"
    yield "reached the client, or from other tests here:"
    yield f"{ordenes_without_202} orders, {conductores_without_202} drivers."
    yield ""
    if durations := lifetimes(reg):
        median, late = durations[len(durations) // 2], sum(lifetime > TIMEOUT for lifetime in durations)
        yield f"From the 202 to the end: median {median:.1f} s, longest {durations[-1]:.1f} s;"
        yield f"longer than {TIMEOUT} s, the watchdog's first deadline: {late} orders."
    yield ""
    yield f"- Handed out again by the broker: at least {rep.deliveries - rep.messages} of {rep.messages} messages (the"
    yield "  subscriptions' `msgOutCounter` over all lives of the broker, less what they acknowledged)."
    yield f"- Published again: {sum(rep.duplicates.values())} of {rep.published} messages (the same bytes twice in a"
    yield "  topic: processed again after the commit, or sent again because no confirmation came)."
    yield from (f"    - {topic.removeprefix('persistent://')}: {n}" for topic, n in sorted(rep.duplicates.items()))
    yield ""


def _invariants(r: Result) -> Iterator[str]:
    yield "## Invariants"
    yield ""
    rules = {invariant.__name__: invariant.__doc__ or "" for invariant in ALL}
    rows = [(rule, str(len(r.broken_invariants.get(name, ())))) for name, rule in rules.items()]
    rows += [(name, str(len(v))) for name, v in r.broken_invariants.items() if name not in rules]
    yield from _table(("rule", "violations"), rows)
    for name, broken in r.broken_invariants.items():
        yield f"\n{name}:\n"
        yield from (f"- {violation}" for violation in sorted(broken)[:MAX_LISTED])


def _pair(values: tuple[float, float] | None) -> str:
    return "–" if values is None else f"{values[0]:.1f} / {values[1]:.1f}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for row in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(row)} |"
