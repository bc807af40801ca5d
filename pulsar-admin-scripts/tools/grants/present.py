"""The rights that a cluster has given."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from functions.messages.topics import TENANT, without_partition
from tools.cluster.rest import broker_answers
from tools.cluster.topics import NAMESPACES
from tools.errors import ToolError
from tools.grants.model import Right


def present(topics: Collection[str]) -> frozenset[Right]:
    """The rights in our tenant's namespaces, and its administrators. Namespaces of other names are not looked at.

    `topics`: full names. Raises ToolError if one is not there, or a namespace, or the tenant: Pulsar gives rights only
    on what exists.
    """
    policies = [f"/admin/v2/namespaces/{name}" for name in NAMESPACES]
    lists = [f"/admin/v2/persistent/{name}" for name in NAMESPACES]
    answers = iter(
        broker_answers(f"/admin/v2/tenants/{TENANT}", *policies, *lists, *(f"{path}/partitioned" for path in lists))
    )
    tenant = next(answers)
    namespaces = {name: next(answers) for name in NAMESPACES}
    existing = {without_partition(topic) for names in answers for topic in names or ()}
    missing = [f"the tenant {TENANT}"] if tenant is None else []
    missing += [f"the namespace {name}" for name, policies in namespaces.items() if policies is None]
    missing += [f"the topic {topic}" for topic in sorted(topics) if topic not in existing]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise ToolError(
            f"the cluster lacks {missing[0]}{more}: run provision.py, which makes them; nothing was changed"
        )
    administrators = {Right(("tenant", TENANT), role, "administer") for role in tenant["adminRoles"]}
    rights = (right for name, policies in namespaces.items() for right in _rights(name, policies["auth_policies"]))
    return frozenset({*administrators, *rights})


def _rights(namespace: str, policies: Mapping[str, Any]) -> Iterator[Right]:
    """The rights in one namespace, by the names that AuthPolicies of Pulsar 4.0 has in JSON."""
    for role, actions in policies["namespace_auth"].items():
        yield from (Right(("namespace", namespace), role, action) for action in actions)
    for topic, roles in policies["destination_auth"].items():
        for role, actions in roles.items():
            yield from (Right(("topic", topic), role, action) for action in actions)
    for subscription, roles in policies["subscription_auth_roles"].items():
        yield from (Right(("subscription", f"{namespace}/{subscription}"), role, "consume") for role in roles)
