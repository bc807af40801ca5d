"""Which version on record each function goes back to."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.cluster.rest import function_answers
from tools.deploy.model import Config, Version, kept
from tools.deploy.plan import ENVIRONMENT
from tools.errors import ToolError


def recorded(versions: Iterable[Version], functions: Sequence[str]) -> list[Version]:
    """What is on record of these functions, or of all if none is named; ToolError if there is nothing of one.

    `versions`: all that is on record.
    """
    versions = kept(versions)
    known = {version.function for version in versions}
    if unknown := set(functions) - known:
        raise ToolError(
            f"nothing was deployed of {', '.join(sorted(unknown))}; on record are {', '.join(sorted(known)) or 'none'}"
        )
    return [version for version in versions if not functions or version.function in functions]


def chosen(versions: Sequence[Version], functions: Sequence[str], until: int | None) -> list[str]:
    """The functions to go back with: those named; else all, to a version; else those of the last deployment."""
    if functions:
        return list(functions)
    considered = (
        _last_deployment(versions) if until is None else [version for version in versions if not version.failure]
    )
    return list(dict.fromkeys(version.function for version in considered))


def require_running(versions: Sequence[Version], present: Mapping[str, Mapping[str, Any]]) -> None:
    """Raises ToolError if the last deployment is undone already: then one more step back is not what is meant.

    `present`: what is deployed now, by the functions' names.
    """
    latest = _last_deployment(versions)
    if latest and not any(version.equals(present[version.function]) for version in latest):
        raise ToolError(
            f"nothing of the last deployment, version {latest[0].number}, runs: it is undone already; nothing "
            "was changed.\n  To go back further, name functions, or say --to VERSION. See deploy.py history"
        )


def _last_deployment(versions: Sequence[Version]) -> list[Version]:
    last = max((version.number for version in versions), default=0)
    return [version for version in versions if version.number == last]


def deployed(versions: Sequence[Version], functions: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What `functions get` says of each function now; nothing in it for a function that is not there."""
    configs = {version.function: version.config for version in versions}
    responses = function_answers([configs[name] for name in functions])
    return {name: response or {} for name, response in zip(functions, responses, strict=True)}


def targets(
    versions: Sequence[Version], present: Mapping[str, Mapping[str, Any]], until: int | None, named: bool
) -> dict[str, Version]:
    """For each function in `present` the version to go back to.

    It is the last one with a number of at most `until`, or, without that, the last that is not what runs now; none that
    failed. ToolError if there is none; but if the functions were not named, one that did not exist then stays as it is.
    """
    target = {}
    for name in present:
        own = [version for version in versions if version.function == name and not version.failure]
        if until is None:
            candidates = [version for version in own if not version.equals(present[name])]
        else:
            candidates = [version for version in own if version.number <= until]
        if candidates:
            target[name] = candidates[-1]
        elif named or until is None:
            condition = f"until version {until}" if until is not None else "other than what runs now"
            raise ToolError(
                f"no version of {name} is on record {condition}; nothing was changed. See deploy.py history"
            )
    return target


def prepare(target: Mapping[str, Version], present: Mapping[str, Mapping[str, Any]], folder: Path) -> dict[str, Config]:
    """The configurations to deploy, but with the database where it is now; writes their packages into `folder`."""
    configs = {}
    for name, version in target.items():
        (folder / f"{name}.zip").write_bytes(version.package)
        environment = {key: value for key, value in present[name].get("userConfig", {}).items() if key in ENVIRONMENT}
        configs[name] = {**version.config, "userConfig": {**version.config["userConfig"], **environment}}
    return configs
