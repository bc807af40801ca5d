"""Waits until functions really run: every instance up, its new consumers on the subscriptions, and no failure since.

Code that can't be imported kills its instance, which the worker starts again and again. An exception in a function's
first message is in the status, or the engine puts the message into the dead letters, with the traceback. A database
that is unavailable is no fault of a version: functions wait for it.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import pulsar

from tools.deploy.logs import Logs
from tools.deploy.model import Config, Configs, View
from tools.deploy.observe import latest_dead_letter, observe
from tools.deploy.watched import TIMEOUT, WatchedFunction
from tools.errors import ToolError
from tools.terminal import sanitize

PAUSE: Final = 0.5
"""Seconds between two looks."""
TRACEBACK_LINES: Final = 40
"""Lines of a traceback that are shown: its end."""


def watch(
    client: pulsar.Client, configs: Configs, before: Mapping[str, View], logs: Logs, seconds: float
) -> dict[str, str]:
    """Returns when every function runs; or what is wrong with each that does not.

    `before`: the functions that were changed, as they were seen before. These must run for `seconds` at least; as soon
    as one of them is known to be broken, it returns. What does not run TIMEOUT after the last that came up counts as
    broken: many that start at once on a small machine take turns. Raises ToolError if it is not known how one is then:
    nothing answers.
    """
    deadline = time.monotonic() + TIMEOUT + seconds
    functions = {name: WatchedFunction(name in before, before.get(name, View())) for name in configs}
    pending = dict(configs)
    broken: dict[str, str] = {}
    announced = ""
    while pending and not any(name in before for name in broken):
        for name, view in observe(pending).items():
            functions[name].update(view, time.monotonic())
            if reason := _why_broken(client, configs[name], functions[name], view, logs):
                broken[name] = _explained(name, reason, logs)
            if reason or functions[name].runs(seconds):
                del pending[name]
                deadline = time.monotonic() + TIMEOUT + seconds
        overdue = time.monotonic() - deadline
        if overdue > TIMEOUT or (overdue > 0 and any(functions[name].stable_for < 0 for name in pending)):
            if not broken and (unknown := [name for name in pending if not functions[name].is_known]):
                reason = functions[unknown[0]].problem
                raise ToolError(f"not known whether these run: {', '.join(unknown)}; {reason}")
            return broken | {name: _explained(name, functions[name].problem, logs) for name in pending}
        if pending and not broken:
            waiting = ", ".join(pending)
            if waiting != announced:
                print(f"  waiting for {waiting} …", flush=True)
                announced = waiting
            time.sleep(PAUSE)
    return broken


def _why_broken(client: pulsar.Client, config: Config, watched: WatchedFunction, view: View, logs: Logs) -> str:
    """What is broken for certain; empty if nothing is known."""
    reason = watched.broken(logs.traceback(config["name"]))
    if not reason and watched.has_new_dead_letters:
        return _dead_letter(client, config, view)
    return reason


def _dead_letter(client: pulsar.Client, config: Config, view: View) -> str:
    """About the newest dead letter, if it is there because of a bug, and of this version; else empty."""
    dead_letter = latest_dead_letter(client, config)
    timestamp = datetime.fromtimestamp(int(dead_letter.get("dlq-time", 0)) / 1000, UTC)
    if not dead_letter.get("dlq-traceback") or timestamp < min((view.consumers or {}).values()):
        return ""
    return f"a message was quarantined: {dead_letter.get('dlq-reason')}\n{dead_letter['dlq-traceback']}"


def _explained(name: str, reason: str, logs: Logs) -> str:
    """The reason and, indented, the traceback; without one, where to look for it."""
    if "Traceback" not in reason:
        reason = f"{reason}\n{logs.traceback(name)}".rstrip()
    first, *rest = reason.splitlines()
    if not rest:
        rest = ["no traceback: its log says more (here: make logs NAME=…; elsewhere FUNCTIONS_LOGS, see --help)"]
    return "\n    ".join([sanitize(first), *(sanitize(line, "\t") for line in rest[-TRACEBACK_LINES:])])
