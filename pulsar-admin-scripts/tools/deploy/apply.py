"""Applies a plan: creates or updates what differs, waits until it really runs, and puts it back if it does not."""

import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pulsar

from tools.deploy.history import History
from tools.deploy.logs import Logs
from tools.deploy.model import ABSENT, Action, Configs, Mode, View
from tools.deploy.observe import observe_before
from tools.deploy.plan import changes, require_schemas
from tools.deploy.print import listed
from tools.deploy.send import send
from tools.deploy.watch import watch
from tools.errors import FailureReported, ToolError


@dataclass(slots=True)
class Deployment:
    """One run of deploy.py that changes functions. It is used once.

    `history`: the open record, so that nobody else changes what this compares and replaces. `configs`: what is to be
    deployed, with the packages in `folder`, and the commits that these were made from in `commits`. `done`: what was
    changed until now. `in_doubt`: what was asked for, and may be done or not. `failures`: why what was changed does not
    run.
    """

    client: pulsar.Client
    history: History
    configs: Configs
    commits: Mapping[str, str]
    folder: Path
    mode: Mode
    done: dict[str, Action] = field(default_factory=dict)
    in_doubt: dict[str, Action] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

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
        """Makes the changes; returns the number that this deployment has on record.

        However it ends, what was changed is on record, unless the broker does not take it.
        """
        require_schemas((self.configs[name] for name in actions), self.folder)
        before = self._prepare(actions)
        print(f"deploying {len(actions)} functions: {', '.join(actions)} …", flush=True)
        try:
            for batch in [[name] for name in actions] if self.mode.one_by_one else [list(actions)]:
                if broken := self._deploy_batch({n: actions[n] for n in batch}, {n: before[n] for n in batch}, logs):
                    self._fail(broken, logs)
            number = self._record()
        except FailureReported:
            raise
        except BaseException as error:
            self._record_unfinished(error)
            raise
        self.history.prune()
        return number

    def _prepare(self, actions: Mapping[str, Action]) -> dict[str, View]:
        """Keeps the packages that will be replaced, and puts them on record; returns how each function is now."""
        existing = {name: self.configs[name] for name, action in actions.items() if action.previous is not None}
        before = dict.fromkeys(actions, ABSENT) | (observe_before(existing) if existing else {})
        self._previous_folder.mkdir()
        for name in existing:
            shutil.copy(self.folder / f"{name}.deployed", self._previous_folder / f"{name}.zip")
        present = {name: action.previous for name, action in actions.items() if action.previous is not None}
        deployed = {
            name: (config, (self._previous_folder / f"{name}.zip").read_bytes())
            for name, config in present.items()
            if self.history.lacks(name, config)
        }
        if deployed:  # so that one can go back to it, however it was deployed
            self.history.record("found", {}, {}, deployed)
        return before

    def _deploy_batch(self, actions: Mapping[str, Action], before: Mapping[str, View], logs: Logs) -> dict[str, str]:
        """Changes these functions together; returns what is wrong with those that don't run afterwards."""
        configs = {name: self.configs[name] for name in actions}
        self.in_doubt |= actions

        def on_done(name: str) -> None:
            self.done[name] = self.in_doubt.pop(name)
            print(f"  {name}: {actions[name].verb}d", flush=True)

        if refused := send(actions, configs, self.folder, on_done):
            self.in_doubt.clear()
            return {name: response.error for name, response in refused.items()}
        if different := changes(configs, self.folder):
            raise ToolError(
                f"the functions worker says that it deployed {', '.join(different)}, and has something else.\n"
                "  With functionsWorkerEnablePackageManagement=true Pulsar ignores the package of `functions update`:\n"
                "  set it to false, or delete these functions (subscriptions stay, nothing is lost) and run this again."
            )
        return watch(self.client, configs, before, logs, self.mode.seconds)

    def _fail(self, broken: Mapping[str, str], logs: Logs) -> NoReturn:
        """Says what is wrong, puts the versions before back, and ends with how things are then."""
        print(f"error: the new versions do not run:\n{listed(broken)}", file=sys.stderr, flush=True)
        self.failures.update(broken)
        old_configs = {}
        if self.mode.roll_back:
            old_configs = {name: a.previous for name, a in self.done.items() if a.previous is not None}
        foreign = changes({name: self.configs[name] for name in old_configs}, self.folder) if old_configs else {}
        old_configs = {name: config for name, config in old_configs.items() if name not in foreign}
        failures = self._roll_back(old_configs, logs) if old_configs else {}
        for name in old_configs.keys() - failures.keys():
            self.failures.setdefault(name, f"put back, as {', '.join(broken)} did not run")
        self._record()
        kept = [name for name in self.done if name not in old_configs and name not in foreign]
        raise FailureReported("\n".join(f"  {sentence}" for sentence in _outcome(old_configs, failures, kept, foreign)))

    def _roll_back(self, old_configs: Configs, logs: Logs) -> dict[str, str]:
        """Puts back what was deployed before; returns what is wrong with those that don't run afterwards."""
        print(f"  putting back {', '.join(old_configs)} …", flush=True)
        before = observe_before(old_configs)
        updates = dict.fromkeys(old_configs, Action("update"))
        refused = send(updates, old_configs, self._previous_folder, lambda _: None)
        failures = {name: response.text.strip() for name, response in refused.items()}
        return failures or watch(self.client, old_configs, before, logs, 0)

    def _record(self) -> int:
        """Puts what was changed until now on record; returns the deployment's number."""
        deployed = {name: (self.configs[name], (self.folder / f"{name}.zip").read_bytes()) for name in self.done}
        return self.history.record(self.mode.action, self.commits, self.failures, deployed)

    def _record_unfinished(self, error: BaseException) -> None:
        """Puts on record what was changed, or may have been, as not known to run; says so, or why it is not on record.

        The next run compares again, and goes on from what it finds.
        """
        self.done |= self.in_doubt
        if not self.done:
            return
        is_interrupted = isinstance(error, (KeyboardInterrupt, pulsar.Interrupted))  # the client's word for Ctrl-C
        reason = "interrupted" if is_interrupted else str(error).partition("\n")[0]
        for name in self.done:
            self.failures.setdefault(name, f"not known to run: {reason}")
        names = ", ".join(self.done)
        try:
            print(f"  on record as version {self._record()}, not known to run: {names}", file=sys.stderr, flush=True)
        except pulsar.PulsarException as failure:
            print(f"  changed, perhaps, and not on record ({failure}): {names}", file=sys.stderr, flush=True)


def _outcome(
    old_configs: Configs, failures: Mapping[str, str], kept: Iterable[str], foreign: Iterable[str]
) -> list[str]:
    """How things are after a failure, in sentences."""
    sentences = []
    if old_configs and not failures:
        sentences.append(f"the versions before are back, and run: {', '.join(old_configs)}")
    if failures:
        sentences.append(f"the versions before do not run either:\n{listed(failures)}")
    if kept := list(kept):
        sentences.append(f"left as they are: {', '.join(kept)}")
    if foreign := list(foreign):
        sentences.append(f"changed by somebody else meanwhile, and left as they are: {', '.join(foreign)}")
    sentences.append("messages wait in their subscriptions; what was quarantined: dlq.py list, dlq.py redrive")
    return sentences
