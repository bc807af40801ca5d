"""Who may do what on a cluster with authorization, as its users see it: what grants.py gives is compared with this.

It does not come from grants.py, nor from the functions' configurations: what functions send and receive is what the
message catalogue says, what the BFF sends is what the modules of its routes name, and what messages there are is what
functions/messages says.
"""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Final, NamedTuple

import yaml

import bff.web
from bff.following import announcements
from functions.messages.payloads import PAYLOADS, Payload
from tests.support.platform import ROOT

PREFIX: Final = "persistent://monoliticas/"
SUPERUSERS: Final = frozenset({"administrator", "broker", "worker"})
ADMINISTRATORS: Final = SUPERUSERS | {"deployer"}
"""Who may do everything in the tenant."""
HISTORY: Final = "despliegues/historia"
GRANTED: Final = f"{PREFIX}ordenes/comando-crear-orden".replace("://", "/")


class Access(NamedTuple):
    """Whether a role may `produce` on a topic, or `consume` from it, by a Reader or a subscription without a list."""

    role: str
    topic: str
    action: str
    allowed: bool


class Subscribing(NamedTuple):
    """Whether a role may consume by a subscription that the topic has for somebody."""

    role: str
    topic: str
    subscription: str
    allowed: bool


class Administering(NamedTuple):
    """Whether a request to the admin API is allowed (a status below 300), or refused (401 or 403). `at_worker`: it is
    for the functions workers. `body`: JSON to send; None sends none. No request changes a cluster that has its grants.
    """

    role: str
    method: str
    path: str
    body: Any
    at_worker: bool
    allowed: bool


@cache
def functions() -> dict[str, str]:
    """Each function's name, and its context, where its module is."""
    paths = [path for context in ("ordenes", "productos", "conductores", "saga") for path in _modules(context)]
    configured = {path.stem for path in (ROOT / "deployment" / "functions").glob("*.yaml")}
    found = {path.stem.replace("_", "-"): path.parent.name for path in paths}
    return {name: context for name, context in found.items() if name in configured}


def _modules(context: str) -> Iterator[Path]:
    return (ROOT / "functions" / context).glob("*.py")


def roles() -> list[str]:
    """Every role."""
    named = [f"function-{name}" for name in functions()]
    return [*sorted(ADMINISTRATORS), "operator", "bff", *named]


def topics() -> list[str]:
    """The full name of every topic that there is."""
    dead_letters = [f"{context}/{name}-dlq" for name, context in functions().items()]
    return [PREFIX + topic for topic in (*PAYLOADS, *dead_letters, HISTORY)]


def access() -> Iterator[Access]:
    """Every role, every topic, both actions."""
    for role in roles():
        for topic in topics():
            for action in ("produce", "consume"):
                name = topic.removeprefix(PREFIX)
                yield Access(role, topic, action, role in ADMINISTRATORS or (name, action) in _needs(role))


def subscribing() -> Iterator[Subscribing]:
    """Every role at every subscription of every topic."""
    for topic, subscription, owner in _subscriptions():
        for role in roles():
            yield Subscribing(role, topic, subscription, role in ADMINISTRATORS | {owner})


def administering() -> Iterator[Administering]:
    """Every role and what administrators, superusers or whoever uses a topic may do."""
    users = {
        role for role in roles() if _needs(role) & {(announcements.TOPIC, "produce"), (announcements.TOPIC, "consume")}
    }
    requests: list[tuple[str, str, Any, bool, Any]] = [
        ("GET", "/admin/v2/tenants", None, False, SUPERUSERS),
        ("GET", "/admin/v2/brokers/configuration/runtime", None, False, SUPERUSERS),
        ("GET", "/admin/v2/tenants/monoliticas", None, False, ADMINISTRATORS),
        ("GET", "/admin/v2/namespaces/monoliticas", None, False, ADMINISTRATORS),
        ("GET", "/admin/v2/namespaces/monoliticas/ordenes", None, False, ADMINISTRATORS),
        ("GET", "/admin/v2/persistent/monoliticas/ordenes", None, False, ADMINISTRATORS),
        ("GET", f"/admin/v2/persistent/monoliticas/{announcements.TOPIC}/stats", None, False, ADMINISTRATORS | users),
        ("GET", f"/admin/v2/schemas/monoliticas/{announcements.TOPIC}/schema", None, False, ADMINISTRATORS | users),
        ("POST", f"/admin/v2/{GRANTED}/permissions/bff", ["produce"], False, ADMINISTRATORS),
        ("GET", "/admin/v3/functions/monoliticas/ordenes", None, True, ADMINISTRATORS),
        ("GET", "/admin/v3/functions/monoliticas/ordenes/crear-orden", None, True, ADMINISTRATORS),
    ]
    for role in roles():
        for method, path, body, at_worker, allowed in requests:
            yield Administering(role, method, path, body, at_worker, role in allowed)


@cache
def _needs(role: str) -> frozenset[tuple[str, str]]:
    """What a role that is no administrator needs: topics "<namespace>/<topic>", each with an action."""
    dead_letters = {name: f"{context}/{name}-dlq" for name, context in functions().items()}
    if role == "operator":
        both = {(topic, action) for topic in PAYLOADS for action in ("produce", "consume")}
        return frozenset(both | {(topic, "consume") for topic in dead_letters.values()})
    if role == "bff":
        return frozenset({(topic, "produce") for topic in sent_by_bff()} | {(announcements.TOPIC, "consume")})
    name = role.removeprefix("function-")
    if name not in dead_letters:
        return frozenset()
    actions = {"send": "produce", "receive": "consume"}
    operations = {(topic, actions[action]) for who, action, topic, _ in _operations() if who == name}
    return frozenset(operations | {(dead_letters[name], "produce")})


def _subscriptions() -> Iterator[tuple[str, str, str]]:
    """Each topic's subscriptions: topic, subscription, and the role that it is for."""
    for who, action, topic, subscription in _operations():
        if action == "receive":
            yield PREFIX + topic, subscription, f"function-{who}"
    for name, context in functions().items():
        yield f"{PREFIX}{context}/{name}-dlq", "cuarentena", "operator"
    yield PREFIX + HISTORY, "historia", "deployer"


def sent_by_bff() -> set[str]:
    """The topics of the commands that the modules of the BFF's routes name, where they send any."""
    modules = [import_module(f"bff.web.{info.name}") for info in iter_modules(bff.web.__path__)]
    named = [value for module in modules if hasattr(module, "send_command") for value in vars(module).values()]
    return {cls.topic for cls in named if isinstance(cls, type) and issubclass(cls, Payload) and cls is not Payload}


@cache
def _operations() -> list[tuple[str, str, str, str]]:
    """What functions do, by the AsyncAPI document: who, "send" or "receive", topic, subscription or ""."""
    path = ROOT / "schemas" / "catalogue" / "asyncapi.yaml"
    document = yaml.load(path.read_text("utf-8"), yaml.CSafeLoader)
    return [
        (
            operation["tags"][0]["name"],
            operation["action"],
            operation["channel"]["$ref"].rpartition("/")[2].replace(".", "/", 1),
            operation.get("x-subscription", ""),
        )
        for operation in document["operations"].values()
        if operation["tags"][0]["name"] in functions()
    ]
