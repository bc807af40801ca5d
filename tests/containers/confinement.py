"""What a started container may do and know: that compose.yaml says so is one thing, that it is so another."""

import json
import re
from typing import Final

import yaml

from tests.containers.errors import ContainersError
from tests.containers.stack import SERVICES, Stack, container
from tests.support.manifests import COMPOSE, DEPLOYMENT, IMAGE_PREFIX

LIVING: Final = ("postgres", "pulsar", "prune", "bff")
"""The services that go on."""
PROCESSES: Final = """
import json, pathlib
found = {}
for process in pathlib.Path("/proc").glob("[0-9]*"):
    command = (process / "cmdline").read_bytes().decode().split("\\0")
    if "--function_details" in command:
        details = json.loads(command[command.index("--function_details") + 1].strip("'"))
        names = [line.partition("=")[0] for line in (process / "environ").read_bytes().decode().split("\\0")]
        found[details["name"]] = sorted(name for name in names if "PASSWORD" in name)
print(json.dumps(found))
"""
"""For each function that runs, the passwords in its environment."""


def check(stack: Stack) -> None:
    """ContainersError unless every container is confined as compose.yaml says, and no secret is where it does not
    belong: in a container's configuration, or with a function that does not name it.
    """
    for service in LIVING:
        _check_rights(stack, service)
        _check_network(stack, service)
    _check_secrets(stack)


def _check_rights(stack: Stack, service: str) -> None:
    status = stack.execute(service, "cat", "/proc/1/status", "/proc/self/status")
    if SERVICES[service]["image"].startswith(IMAGE_PREFIX):
        _require(f"{service} has rights of root", set(re.findall(r"^Cap\w+:\s(\w+)$", status, re.M)) == {"0" * 16})
        _require(f"{service} can get more rights", set(re.findall(r"^NoNewPrivs:\s(\d)$", status, re.M)) == {"1"})
    user = re.findall(r"^Uid:\s(\d+)", status, re.M)[0]
    _require(f"{service} runs as root", user != "0")
    if SERVICES[service].get("read_only"):
        mounts = stack.execute(service, "cat", "/proc/mounts")
        _require(f"{service} can write its image", re.search(r"^\S+ / \S+ ro,", mounts, re.M) is not None)


def _check_network(stack: Stack, service: str) -> None:
    """A network that is internal leads nowhere: there is no default route."""
    routes = stack.execute(service, "cat", "/proc/net/route")
    has_default = re.search(r"^\w+\t00000000\t", routes, re.M) is not None
    _require(f"{service} has {'a' if has_default else 'no'} way out", has_default == ("outside" in _networks(service)))


def _networks(service: str) -> list[str]:
    return list(SERVICES[service]["networks"])


def _check_secrets(stack: Stack) -> None:
    files = {name: secret["file"] for name, secret in COMPOSE["secrets"].items() if name != "DB_SSLROOTCERT"}
    secrets = {name: (stack.checkout / "deployment" / file).read_text() for name, file in files.items()}
    for service in SERVICES:
        shown = json.dumps(stack.engine.inspect(container(service)))
        for name, secret in secrets.items():
            _require(f"{name} is in the configuration of {service}", json.dumps(secret)[1:-1] not in shown)
    configs = [yaml.safe_load(path.read_text()) for path in (DEPLOYMENT / "functions").glob("*.yaml")]
    named = {config["name"]: sorted(config.get("secrets", ())) for config in configs}
    seen = json.loads(stack.execute("pulsar", "python3", "-c", PROCESSES))
    _require(f"functions have other passwords than they name: {seen}", seen == named)


def _require(otherwise: str, is_so: bool) -> None:
    if not is_so:
        raise ContainersError(otherwise)
