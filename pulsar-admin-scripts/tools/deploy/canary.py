"""A canary: one instance of a function's new version beside the present ones, on the same subscription.

It is a function of its own, <name>-canary, that works under the other's name: same receipts, same dead letters. So a
message that goes from one to the other, in whichever order, has its effects once. It takes its share of the messages:
one part in as many as there are instances.
"""

import sys
from pathlib import Path
from typing import NoReturn

import pulsar

from tools.cluster.repository import CANARY_SUFFIX
from tools.cluster.rest import function_answers
from tools.deploy.logs import Logs
from tools.deploy.model import Config
from tools.deploy.observe import observe_before
from tools.deploy.plan import changes, require_schemas
from tools.deploy.print import listed, print_comparison
from tools.deploy.send import delete, send
from tools.deploy.watch import watch
from tools.errors import FailureReported, ToolError


def canary_config(config: Config) -> Config:
    """The configuration of a function's canary; ToolError if there can't be one."""
    name = config["name"]
    for field in ("retainOrdering", "retainKeyOrdering"):
        if config.get(field, False):
            _refuse(name, field, "it needs Shared")
    if config.get("cleanupSubscription", True):
        _refuse(name, "cleanupSubscription", "its subscription must outlive the canary")
    own = {"FUNCION": name}
    return {**config, "name": name + CANARY_SUFFIX, "parallelism": 1, "userConfig": {**config["userConfig"], **own}}


def _refuse(name: str, field: str, reason: str) -> NoReturn:
    raise ToolError(f"{name} has {field}: true: no canary can share its subscription, {reason}")


def start(client: pulsar.Client, config: Config, folder: Path, seconds: float) -> None:
    """Deploys the canary, or another version of it; if it does not run for `seconds`, it is removed.

    `folder` has the package. Raises ToolError if the function itself is not deployed, or the canary does not run.
    """
    canary = canary_config(config)
    name = canary["name"]
    actions = changes({config["name"]: config, name: canary}, folder)
    function_action = actions.pop(config["name"], None)
    if function_action and function_action.verb == "create":
        raise ToolError(f"{config['name']} is not deployed: a canary works beside it. Run deploy.py")
    require_schemas([canary], folder)
    logs = Logs([canary])
    before = observe_before({name: canary})
    if action := actions.get(name):
        for failure in send(actions, {name: canary}, folder, lambda _: None).values():
            failure.require()
        print(f"  {name}: {action.verb}d", flush=True)
    if broken := watch(client, {name: canary}, before if action else {}, logs, seconds):
        print(f"error: the canary does not run:\n{listed(broken)}", file=sys.stderr, flush=True)
        remove(canary)
        raise FailureReported(f"  {name} is removed; {config['name']} goes on, and has what it had taken")
    print(f"canary: {name} runs" if action else f"canary: {name} runs already, no changes")


def remove(canary: Config) -> None:
    """Removes a canary; what it had not acknowledged goes to the function's instances. ToolError if there is none."""
    if function_answers([canary]) == [None]:
        raise ToolError(f"there is no {canary['name']}")
    delete(canary)
    print(f"  {canary['name']}: removed", flush=True)


def require_same(config: Config, folder: Path) -> None:
    """Raises ToolError if the canary is not what these sources would deploy."""
    canary = canary_config(config)
    if action := changes({canary["name"]: canary}, folder).get(canary["name"]):
        what = "there is no canary" if action.verb == "create" else f"the canary differs: {', '.join(action.fields)}"
        raise ToolError(
            f"{what}. Only what was tried is promoted: run `deploy.py canary {config['name']}` with these "
            "sources, or promote with those that it was started with"
        )


def compare(config: Config) -> None:
    """Prints what the function and its canary have done since each was started; ToolError if one is not there."""
    both = [config, canary_config(config)]
    answers = zip(both, function_answers(both, "/status"), function_answers(both, "/stats"), strict=True)
    columns = [(deployed["name"], status, figures) for deployed, status, figures in answers]
    for name, status, figures in columns:
        if status is None or figures is None:
            raise ToolError(f"there is no {name}")
    print_comparison(columns)
