"""A cluster's rights in memory: its admin API over HTTP, and the pulsar-admin commands that change them.

Commands do what PulsarAuthorizationProvider of Pulsar 4.0 does: to grant sets what was there before, and a list of
roles that has become empty is gone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.cluster.shell import Response

from tests.support.fake_admin import Response as Answer

NAMESPACES = ("ordenes", "productos", "conductores", "saga", "despliegues")


def _no_rights() -> dict[str, dict[str, Any]]:
    return {"namespace_auth": {}, "destination_auth": {}, "subscription_auth_roles": {}}


@dataclass
class FakePolicies:
    """`topics`: their full names. `administrators` of the tenant, None if there is no tenant. `policies`: the rights of
    each namespace. `commands`: what was run, in order; `refuses`: what the broker says to the next commands instead.
    """

    topics: Sequence[str]
    administrators: list[str] | None = field(default_factory=list)
    policies: dict[str, dict[str, dict[str, Any]]] = field(
        default_factory=lambda: {f"monoliticas/{name}": _no_rights() for name in NAMESPACES}
    )
    commands: list[list[str]] = field(default_factory=list)
    refuses: list[str] = field(default_factory=list)

    def get(self, path: str, default: Answer) -> Answer:
        """What the admin API answers."""
        if path == "/admin/v2/tenants/monoliticas":
            return default if self.administrators is None else (200, {"adminRoles": self.administrators})
        if path.endswith("/partitioned"):
            return 200, []
        kind, _, namespace = path.removeprefix("/admin/v2/").partition("/")
        if namespace not in self.policies:
            return default
        if kind == "namespaces":
            return 200, {"auth_policies": self.policies[namespace]}
        return 200, [topic for topic in self.topics if topic.startswith(f"persistent://{namespace}/")]

    def execute(self, commands: Sequence[Sequence[str]], _: str) -> list[Response]:
        """What pulsar-admin prints for each command."""
        return [self._execute(list(command)) for command in commands]

    def _execute(self, command: list[str]) -> Response:
        self.commands.append(command)
        if self.refuses:
            failure = self.refuses.pop(0)
            return Response(" ".join(command), failure, failure)
        group, verb, name, *rest = command
        options = dict(zip(rest[::2], rest[1::2], strict=True))
        if group == "tenants":
            self.administrators = options["--admin-roles"].split(",")
            return Response(" ".join(command), "", None)
        namespace = "/".join(name.removeprefix("persistent://").split("/")[:2])
        rights = self.policies[namespace]
        match verb:
            case "grant-permission":
                actions = options["--actions"].split(",")
                of_topic = group == "topics"
                roles = rights["destination_auth"].setdefault(name, {}) if of_topic else rights["namespace_auth"]
                roles[options["--role"]] = actions
            case "revoke-permission":
                roles = rights["destination_auth"][name] if group == "topics" else rights["namespace_auth"]
                roles.pop(options["--role"])
            case "grant-subscription-permission":
                rights["subscription_auth_roles"][options["--subscription"]] = options["--roles"].split(",")
            case "revoke-subscription-permission":
                roles = rights["subscription_auth_roles"]
                roles[options["--subscription"]].remove(options["--role"])
                if not roles[options["--subscription"]]:
                    del roles[options["--subscription"]]
        return Response(" ".join(command), "", None)
