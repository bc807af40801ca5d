"""Tells the functions workers what a plan says, and finds out what they did if they do not say.

pulsar-admin's answer can be lost: a worker that is slow, dies, or hands over to another one may have done what it was
told. So after a failure it is looked at what is deployed now, and only what is not there yet is told again.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from functions.messages.topics import TENANT
from tools.cluster.patience import Patience
from tools.cluster.rest import api, function_answers
from tools.cluster.shell import Response, admin_url, execute, functions_url
from tools.deploy.model import Action, Config, Configs
from tools.deploy.plan import changes, command, name_options

COMMANDS_RUN: Final = "pulsar-admin is running"
"""What is waited for while nothing has failed."""


def send(
    actions: Mapping[str, Action], configs: Configs, folder: Path, on_done: Callable[[str], None]
) -> dict[str, Response]:
    """Creates or updates functions; returns the failure of each that is not as it should be then.

    `folder` has the packages. `on_done` is called with the name of each function that is as it should be. Raises
    ToolError if the functions workers do not say what is deployed: what they did is unknown then.
    """
    missing = dict(actions)
    failures: dict[str, Response] = {}

    def attempt() -> Sequence[Response]:
        failures.clear()
        for name, action in missing.items():
            if action.verb == "create":
                _delete_packages(configs[name])
        commands = [command(action.verb, configs[name], folder) for name, action in missing.items()]
        responses = dict(zip(missing, execute(commands, functions_url()), strict=True))
        failed = {name: configs[name] for name, response in responses.items() if response.failure is not None}
        still_missing = changes(failed, folder) if failed else {}
        for name in [name for name in missing if name not in still_missing]:
            on_done(name)
        missing.clear()
        missing.update(still_missing)
        failures.update((name, responses[name]) for name in still_missing)
        return list(failures.values())

    with Patience(functions_url(), COMMANDS_RUN) as patience:
        patience.insist(attempt)
    return failures


def delete(config: Config) -> None:
    """Deletes a function, unless it is not there; ToolError if that fails."""

    def attempt() -> Sequence[Response]:
        (response,) = execute([["functions", "delete", *name_options(config)]], functions_url())
        return [response] if response.failure is not None and function_answers([config]) != [None] else []

    with Patience(functions_url(), COMMANDS_RUN) as patience:
        for failure in patience.insist(attempt):
            failure.require()


def _delete_packages(config: Config) -> None:
    """Deletes what a deleted function has left in the brokers' package service: it would refuse another one."""
    name = f"{TENANT}/{config['namespace']}/{config['name']}"
    versions = api(admin_url()).try_read(f"/admin/v3/packages/function/{name}")
    if isinstance(versions, list):  # a text, if there is no such service
        commands = [["packages", "delete", f"function://{name}@{version}"] for version in versions]
        execute(commands, admin_url())
