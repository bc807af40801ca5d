"""The changes between the rights that a cluster has given, and those that its roles need."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set

from tools.cluster.changes import Change
from tools.grants.model import Place, Right

Unit = tuple[Place, str]
"""What one command sets: what a role may do on a topic or in a namespace; or all roles of a subscription or a tenant,
then the role is "".
"""


def too_many(present: Set[Right], required: Set[Right]) -> list[Right]:
    """The rights that nothing in the repository asks for. The tenant's other administrators are not among them: whom
    else people trust with that is theirs to say.
    """
    return sorted(right for right in present - required if right.place[0] != "tenant")


def changes(present: Set[Right], required: Set[Right], revoke: bool) -> Iterator[Change]:
    """What gives the rights that are missing, and, to `revoke`, takes away those that are too many.

    A command says all that is to be there afterwards, so that nobody loses in between what they are to keep. What gives
    comes before what only takes, and the lists of subscriptions before the topics: nobody is let onto a topic whose
    subscriptions are not closed to others yet.
    """
    desired = required | present
    if revoke:
        desired -= set(too_many(present, required))
    before, after = _by_unit(present), _by_unit(desired)
    gives = {_unit(right) for right in desired - present}
    takes = {_unit(right) for right in present - desired}
    for unit in [*sorted(gives), *sorted(takes - gives)]:
        yield from _commands(unit, before[unit], after[unit])


def _unit(right: Right) -> Unit:
    return right.place, right.role if right.place[0] in ("topic", "namespace") else ""


def _by_unit(rights: Iterable[Right]) -> dict[Unit, list[Right]]:
    units: dict[Unit, list[Right]] = defaultdict(list)
    for right in sorted(rights):
        units[_unit(right)].append(right)
    return units


def _commands(unit: Unit, before: Sequence[Right], after: Sequence[Right]) -> Iterator[Change]:
    """The commands that leave the rights `after`: one, unless the last roles of a subscription are taken away."""
    (kind, name), role = unit
    roles = ",".join(right.role for right in after)
    actions = ",".join(right.action for right in after)
    match kind:
        case "tenant":
            yield f"{roles} may administer: tenant {name}", ["tenants", "update", name, "--admin-roles", roles]
        case "topic" if actions:
            grant = ["topics", "grant-permission", name, "--role", role, "--actions", actions]
            yield f"{role} may {actions}: topic {name}", grant
        case "namespace" if actions:
            grant = ["namespaces", "grant-permission", name, "--role", role, "--actions", actions]
            yield f"{role} may {actions}: namespace {name}", grant
        case "topic" | "namespace":
            yield f"{role} may do nothing: {kind} {name}", [f"{kind}s", "revoke-permission", name, "--role", role]
        case "subscription":
            yield from _lists(name, roles, before)


def _lists(name: str, roles: str, before: Sequence[Right]) -> Iterator[Change]:
    """The commands that leave a subscription to these roles; to everybody who may consume, if there are none."""
    tenant, namespace, subscription = name.split("/", 2)
    where = [f"{tenant}/{namespace}", "--subscription", subscription]
    if roles:
        grant = ["namespaces", "grant-subscription-permission", *where, "--roles", roles]
        yield f"{roles} may consume: subscription {name}", grant
        return
    for right in before:
        revoke = ["namespaces", "revoke-subscription-permission", *where, "--role", right.role]
        yield f"{right.role} may do nothing: subscription {name}", revoke
