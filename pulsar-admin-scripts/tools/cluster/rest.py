"""What the cluster that PULSAR_ADMIN_URL and PULSAR_FUNCTIONS_URL name answers. It changes nothing.

All of it raises ToolError if the settings can't be used, or the cluster does not answer in the time that patience.py
gives it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Any, Final, TypeVar

from functions.cluster.admin_rest import THREADS, AdminUnavailable, Api
from functions.messages.topics import TENANT
from functions.program.threads import map_in_threads
from tools.cluster.patience import Patience
from tools.cluster.shell import admin_url, functions_url
from tools.errors import ToolError

ANSWER_TIMEOUT: Final = 30.0
"""Longest wait for one answer, in seconds: a worker that has just started takes several for its first ones."""

R = TypeVar("R")


def broker_answers(*paths: str) -> list[Any]:
    """The brokers' decoded answer to each path; None for what does not exist."""
    return answers(api(admin_url()), Api.read, paths)


def function_answers(configs: Sequence[Mapping[str, Any]], suffix: str = "") -> list[Any]:
    """What the functions workers say of each function: its configuration, or its "/status" or "/stats".

    None for a function that is not deployed.
    """
    return answers(api(functions_url()), Api.read, [function_path(config) + suffix for config in configs])


def deployed_packages(configs: Sequence[Mapping[str, Any]]) -> list[bytes | None]:
    """The package that each function was deployed with; None if there is none."""
    paths = [f"{function_path(config)}/download" for config in configs]
    return answers(api(functions_url()), Api.download, paths)


def function_path(config: Mapping[str, Any]) -> str:
    """The path of a function in the functions workers' API."""
    return f"/admin/v3/functions/{TENANT}/{config['namespace']}/{config['name']}"


def restarts(status: Mapping[str, Any]) -> Iterator[tuple[int, int]]:
    """How often each instance of a function was started again, by a functions worker's answer to "/status".

    Instances whose count is not known are left out. A worker that can't ask the one that has an instance says that it
    does not run and was never restarted: next time it may say the truth, and that would look like so many deaths.
    """
    for instance in status.get("instances", ()):
        number = int(instance["status"].get("numRestarts") or 0)
        if number or instance["status"].get("running"):
            yield int(instance["instanceId"]), number


@cache
def api(url: str) -> Api:
    """The API at a URL: one for each, so that its connections stay open."""
    try:
        return Api.from_env(url, ANSWER_TIMEOUT)
    except (ValueError, OSError) as error:
        raise ToolError(f"can't use PULSAR_ADMIN_URL, PULSAR_FUNCTIONS_URL, PULSAR_CLIENT_CONF: {error}") from error


def answers(asked: Api, fetch: Callable[[Api, str], R], paths: Sequence[str]) -> list[R]:
    """What `fetch` gets at each path, in the order of the paths; several are fetched at a time, and asked for again."""
    try:
        with Patience(asked.url) as patience:
            return map_in_threads(THREADS, lambda path: patience.ask(partial(fetch, asked, path)), paths)
    except AdminUnavailable as error:
        raise ToolError(str(error)) from error
