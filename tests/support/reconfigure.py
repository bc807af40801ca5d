"""A deployed function, and another userConfig for it, by pulsar-admin."""

import json

from tests.support.platform import Platform, wait_for


def functions(platform: Platform, action: str, namespace: str, name: str, *extra: str) -> str:
    who = ["--tenant", "monoliticas", "--namespace", namespace, "--name", name]
    return platform.admin("--admin-url", platform.functions_url, "functions", action, *who, *extra)


def reconfigure(platform: Platform, namespace: str, name: str, **settings: object) -> None:
    """Deploys a function with these settings in its userConfig; returns once another instance has them."""
    before = [process.pid for process in platform.instances(name)]
    config = json.loads(functions(platform, "get", namespace, name))["userConfig"]
    functions(platform, "update", namespace, name, "--user-config", json.dumps(config | settings))
    wait_for("another instance", lambda: _has_new_instance(platform, name, before))


def _has_new_instance(platform: Platform, name: str, before: list[int]) -> bool:
    now = [process.pid for process in platform.instances(name)]
    return bool(now) and not set(now) & set(before)
