"""Applies a plan: creates or updates what differs, waits until it really runs, and puts it back if it does not."""

import shutil
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pulsar

from tools.cluster.shell import execute, functions_url
from tools.deploy.history import History
from tools.deploy.logs import Logs
from tools.deploy.model import Action, Configs, Mode, View
from tools.deploy.observe import observe
from tools.deploy.plan import changes, command, require_schemas
from tools.deploy.print import listed
from tools.deploy.watch import watch
from tools.errors import FailureReported, ToolError


@dataclass(slots=True)
class Deployment:
    """One run of deploy.py that changes functions. It is used once.

    `configs`: what is to be deployed, with the packages in `folder`, and the commits that these were made from in
    `commits`. `done`: what was changed until now.
    """

    client: pulsar.Client
    configs: Configs
    commits: Mapping[str, str]
    folder: Path
    mode: Mode
    done: dict[str, Action] = field(default_factory=dict)

    def apply(self) -> None:
        """Makes the changes, and says how many. ToolError if what was deployed, or was there before, does not run."""
        actions = changes(self.configs, self.folder)
        unchanged = {name: config for name, config in self.configs.items() if name not in actions}
        logs = Logs(self.configs.values())
        number = self._updated(actions, logs) if actions else None
        if broken := watch(self.client, unchanged, {}, logs, 0):
            raise ToolError(f"not running, and not changed by this:\n{listed(broken)}")
        print(f"deployed: {len(actions)} changes, version {number}" if actions else "deployed: no changes")

    @property
    def _previous_folder(self) -> Path:
        """Where the packages are that were deployed before."""
        return self.folder / "previous"

    def _updated(self, actions: Mapping[str, Action], logs: Logs) -> int:
        """Makes the changes; returns the number that this deployment has on record."""
        changed_configs = {name: self.configs[name] for name in actions}
        with ThreadPoolExecutor() as executor:
            views = executor.submit(
                observe, {n: changed_configs[n] for n, action in actions.items() if action.previous is not None}
            )
            require_schemas(changed_configs.values(), self.folder)
        before = dict.fromkeys(changed_configs, View()) | views.result()
        self._previous_folder.mkdir()
        for name, action in actions.items():
            if action.previous is not None:
                shutil.copy(self.folder / f"{name}.deployed", self._previous_folder / f"{name}.zip")
        with History(self.client) as history:
            self._record_present(history, actions)
            print(f"deploying {len(actions)} functions: {', '.join(actions)} …", flush=True)
            batches = [[name] for name in actions] if self.mode.one_by_one else [list(actions)]
            for batch in batches:
                if broken := self._deploy_batch({n: actions[n] for n in batch}, {n: before[n] for n in batch}, logs):
                    self._fail(history, broken, logs)
            number = self._record(history, {})
            history.prune()
        return number

    def _deploy_batch(self, actions: Mapping[str, Action], before: Mapping[str, View], logs: Logs) -> dict[str, str]:
        """Changes these functions together; returns what is wrong with those that don't run afterwards."""
        configs = {name: self.configs[name] for name in actions}
        commands = [command(action.verb, configs[name], self.folder) for name, action in actions.items()]
        broken = {}
        for (name, action), response in zip(actions.items(), execute(commands, functions_url()), strict=True):
            if response.failure is not None:
                broken[name] = f"pulsar-admin {response.command}\n    {response.text.strip()}"
                continue
            self.done[name] = action
            print(f"  {name}: {action.verb}d", flush=True)
        if broken:
            return broken
        with ThreadPoolExecutor() as executor:
            still_different = executor.submit(changes, configs, self.folder)
            broken = watch(self.client, configs, before, logs, self.mode.seconds)
        if still_different.result():
            raise ToolError(
                f"the functions worker says that it deployed {', '.join(still_different.result())}, and has "
                "something else.\n  With functionsWorkerEnablePackageManagement=true Pulsar ignores the package of "
                "`functions update`:\n  set it to false, or delete these functions (subscriptions stay, nothing is "
                "lost) and run this again."
            )
        return broken

    def _fail(self, history: History, broken: Mapping[str, str], logs: Logs) -> NoReturn:
        """Says what is wrong, puts the versions before back, and ends with how things are then."""
        print(f"error: the new versions do not run:\n{listed(broken)}", file=sys.stderr, flush=True)
        old_configs = {}
        if self.mode.roll_back:
            old_configs = {name: a.previous for name, a in self.done.items() if a.previous is not None}
        put_back = dict.fromkeys(old_configs, f"put back, as {', '.join(broken)} did not run")
        self._record(history, put_back | dict(broken))
        failures = self._roll_back(old_configs, logs) if old_configs else {}
        new_ones = [name for name in self.done if name not in old_configs]
        sentences = []
        if old_configs and not failures:
            sentences.append(f"the versions before are back, and run: {', '.join(old_configs)}")
        if failures:
            sentences.append(f"the versions before do not run either:\n{listed(failures)}")
        if new_ones:
            sentences.append(f"left as they are: {', '.join(new_ones)}")
        sentences.append("messages wait in their subscriptions; what was quarantined: dlq.py list, dlq.py redrive")
        raise FailureReported("\n".join(f"  {sentence}" for sentence in sentences))

    def _roll_back(self, old_configs: Configs, logs: Logs) -> dict[str, str]:
        """Puts back what was deployed before; returns what is wrong with those that don't run afterwards."""
        print(f"  putting back {', '.join(old_configs)} …", flush=True)
        before = observe(old_configs)
        commands = [command("update", config, self._previous_folder) for config in old_configs.values()]
        responses = zip(old_configs, execute(commands, functions_url()), strict=True)
        failures = {name: response.text.strip() for name, response in responses if response.failure is not None}
        return failures or watch(self.client, old_configs, before, logs, 0)

    def _record(self, history: History, failures: Mapping[str, str]) -> int:
        """Puts what was changed until now on record; returns the deployment's number."""
        deployed = {name: (self.configs[name], (self.folder / f"{name}.zip").read_bytes()) for name in self.done}
        return history.record(self.mode.action, self.commits, failures, deployed)

    def _record_present(self, history: History, actions: Mapping[str, Action]) -> None:
        """Puts on record what is about to be replaced, so that one can go back to it, however it was deployed."""
        present = {name: action.previous for name, action in actions.items() if action.previous is not None}
        deployed = {
            name: (config, (self._previous_folder / f"{name}.zip").read_bytes())
            for name, config in present.items()
            if history.lacks(name, config)
        }
        if deployed:
            history.record("found", {}, {}, deployed)
