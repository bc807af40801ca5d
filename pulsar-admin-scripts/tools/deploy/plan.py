"""What there is to deploy: each function's configuration and package as the repository has them, and what differs."""

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from functions.messages.topics import TENANT, short_name
from functions.postgres import servers, tls
from tools.cluster.function_config import FIELDS, defects, refused_changes
from tools.cluster.repository import function_configs
from tools.cluster.rest import deployed_packages, function_answers
from tools.cluster.shell import matches
from tools.deploy import package
from tools.deploy.model import Action, Config, Configs
from tools.errors import ToolError
from tools.schemas.registry import unregistered

ENVIRONMENT: Final = ("DB_HOSTNAME", "DB_PORT", "DB_SSLMODE", "DB_SSLROOTCERT")
"""Environment variables that become a part of the functions' userConfig: where PostgreSQL is, how it is verified."""


def desired(names: Sequence[str], folder: Path) -> dict[str, Config]:
    """The configurations to deploy: with where the database is, and the content hash of the package.

    The packages are written to `folder`.
    """
    all_configs = function_configs()
    configs = {name: all_configs[name] for name in names}
    environment = _environment()
    for name, config in configs.items():
        content = package.build(name, all_configs, folder).read_bytes()
        config["userConfig"] |= {**environment, "PACKAGE": f"sha256:{hashlib.sha256(content).hexdigest()}"}
    return configs


def _environment() -> dict[str, str]:
    """The values of ENVIRONMENT. Of a file with certificates its contents: where functions run, it may not be."""
    try:
        verified = tls.settings(os.environ, *servers.hostnames(servers.addresses(os.environ)))
    except (servers.InvalidServers, tls.InvalidTls) as error:
        raise ToolError(f"{error}; nothing was changed") from error
    defaults = {"DB_HOSTNAME": servers.DEFAULT_HOSTNAME, "DB_PORT": servers.DEFAULT_PORT}
    return {name: os.environ.get(name, default) for name, default in defaults.items()} | verified


def changes(configs: Configs, folder: Path) -> dict[str, Action]:
    """The functions to create or update: those whose configuration or package differs.

    The deployed packages are fetched to `folder` and compared: a worker may have kept the old one and said nothing.
    Raises ToolError if Pulsar would refuse an update.
    """
    all_configs = list(configs.values())
    actions: dict[str, Action] = {}
    refusals: list[str] = []
    answers = zip(all_configs, function_answers(all_configs), deployed_packages(all_configs), strict=True)
    for config, present, content in answers:
        name = config["name"]
        if present is None:
            actions[name] = Action("create")
            continue
        if content is None:
            raise ToolError(f"the functions worker has lost the package of {name}: delete the function, run this again")
        (folder / f"{name}.deployed").write_bytes(content)
        if fields := _different_fields(config, present, content, folder):
            actions[name] = Action("update", fields, _as_update(present))
        refusals += [f"  {name}: {refusal}" for refusal in refused_changes(present, config)]
    if refusals:
        raise ToolError(
            "\n".join(["Pulsar does not alter this in a function that exists:", *refusals])
            + "\n  Nothing was changed. Delete these functions with pulsar-admin (cleanupSubscription: false keeps what"
            " waits for them), and run this again."
        )
    return actions


def _different_fields(config: Config, present: Mapping[str, Any], content: bytes, folder: Path) -> tuple[str, ...]:
    """What differs in a function that is deployed: fields of its configuration, and "package"."""
    wanted = config | {"userConfig": {key: v for key, v in config["userConfig"].items() if key != "PACKAGE"}}
    fields = [field for field, value in wanted.items() if not matches(present.get(field), value)]
    declared = present.get("userConfig", {}).get("PACKAGE") == config["userConfig"].get("PACKAGE")
    if content != package_path(config, folder).read_bytes() or not declared:
        fields.append("package")
    return tuple(fields)


def _as_update(present: Mapping[str, Any]) -> Config:
    """What `functions get` says, as `functions update` takes it: without what it fills in by itself."""
    return {
        field: value
        for field, value in present.items()
        if field in FIELDS and field != "inputs" and value not in (None, {})
    }


def require_schemas(configs: Iterable[Config], folder: Path) -> None:
    """Raises ToolError if the registry lacks a schema that these functions use, as their packages in `folder` have it.

    The broker would refuse such functions, and those that run now are better than that.
    """
    used: dict[str, list[Any]] = {}
    for config in configs:
        topics = {short_name(entry) for entry in config["inputSpecs"]} | set(config["userConfig"].get("PUBLICA", ()))
        for topic, definition in package.schemas(package_path(config, folder), topics).items():
            used.setdefault(topic, []).append(definition)
    if missing := unregistered(used):
        raise ToolError(
            f"the cluster does not have these schemas as the functions use them: {', '.join(missing)}\n"
            "  Nothing was deployed. Run provision.py; if the broker refuses them, `schemas.py check` says why."
        )


def require_no_defects(configs: Configs) -> None:
    """Raises ToolError if a configuration says what Pulsar would refuse or ignore."""
    if problems := [f"  {name}: {problem}" for name, config in configs.items() for problem in defects(config)]:
        raise ToolError("\n".join(["deployment/functions, nothing was changed:", *problems]))


def package_path(config: Config, folder: Path) -> Path:
    """Where the package of a function is; a canary has that of the function it is a canary of."""
    return folder / f"{config['userConfig'].get('FUNCION', config['name'])}.zip"


def command(verb: str, config: Config, folder: Path) -> list[str]:
    """The pulsar-admin command that creates or updates a function; writes the file that it takes into `folder`."""
    file = folder / f"{config['name']}.yaml"
    file.write_text(yaml.safe_dump(config), "utf-8")
    return ["functions", verb, "--function-config-file", str(file), "--py", str(package_path(config, folder))]


def name_options(config: Config) -> list[str]:
    """The options by which pulsar-admin's commands name a function."""
    return ["--tenant", TENANT, "--namespace", config["namespace"], "--name", config["name"]]
