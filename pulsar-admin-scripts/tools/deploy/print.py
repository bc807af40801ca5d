"""What people see of deployments: the plan, what is broken, the record, a canary beside its function."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from tools.deploy.model import Action, Version
from tools.terminal import json_line, sanitize

JSON_FIELDS: Final = {
    "version": "number",
    "function": "function",
    "what": "action",
    "time": "time",
    "who": "who",
    "commit": "commit",
    "failure": "failure",
    "config": "config",
}
"""The fields of `history --json`, and what they are called in a Version."""
COMPARED: Final = (
    "instances",
    "restarts",
    "messages",
    "exceptions",
    "quarantined",
    "duplicates",
    "database, broker away",
    "ms each",
)


def print_plan(actions: Mapping[str, Action]) -> None:
    for name, action in actions.items():
        print(f"  {name}: {action}")
    print(f"plan: {len(actions)} changes of functions" if actions else "plan: no changes of functions")


def listed(broken: Mapping[str, str]) -> str:
    """What is wrong with each function, in lines of their own."""
    return "\n".join(f"  {name}: {reason}" for name, reason in broken.items())


def print_history(versions: Iterable[Version], as_json: bool) -> None:
    """Oldest first: the last line is what was deployed last."""
    if as_json:
        for version in versions:
            print(json_line({name: getattr(version, field) for name, field in JSON_FIELDS.items()}))
        return
    print(f"{'version':>7}  {'when':16}  {'who':22}  {'commit':18}  what")
    functions_by_line: dict[str, list[str]] = {}
    for version in versions:
        functions = functions_by_line.setdefault(sanitize(_deployment(version)), [])
        functions.append(f"{'':9}{version.function} {version.hash}")
    for line, functions in functions_by_line.items():
        print("\n".join([line, *functions]))


def _deployment(version: Version) -> str:
    """What the versions that were deployed together have in common, in one line; times are local."""
    when = datetime.fromisoformat(version.time).astimezone().strftime("%Y-%m-%d %H:%M")
    what = f"{version.action}, FAILED: {version.failure}" if version.failure else version.action
    return f"{version.number:>7}  {when}  {version.who:22}  {version.commit:18}  {what}"


def print_comparison(columns: Sequence[tuple[str, Any, Any]]) -> None:
    """A column for each function: its name, and what the functions workers answer to "/status" and "/stats"."""
    cells = [[name, *_cells(status, figures)] for name, status, figures in columns]
    for title, *row in zip(("", *COMPARED), *cells, strict=True):
        print(f"{title:24}" + "".join(f"{cell:>32}" for cell in row))


def _cells(status: Any, figures: Any) -> Iterator[str]:
    """The cells beside COMPARED, of the instances that run."""
    user_metrics = [instance["metrics"].get("userMetrics") or {} for instance in figures["instances"]]

    def total(name: str) -> float:
        return float(sum(metrics.get(f"user_metric_{name}_sum", 0) for metrics in user_metrics))

    yield f"{status['numRunning']} of {status['numInstances']}"
    yield str(sum(instance["status"].get("numRestarts", 0) for instance in status["instances"]))
    yield f"{figures['receivedTotal']:.0f}"
    yield f"{figures['userExceptionsTotal'] + figures['systemExceptionsTotal']:.0f}"
    for name in ("quarantined", "duplicates", "infrastructure_failures"):
        yield f"{total(name):.0f}"
    messages = total("batch_messages")
    yield f"{1000 * total('transaction_seconds') / messages:.2f}" if messages else "-"
