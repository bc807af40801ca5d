"""The roles of a cluster with authorization, and what each needs, by what the repository says.

Whoever may produce or consume on a topic may also look it up, ask for its partitions, read its schemas and its stats
(LOOKUP, GET_METADATA, GET_STATS in PulsarAuthorizationProvider of Pulsar 4.0; the client's own request for a schema is
not checked at all). A producer or consumer with a schema that is registered needs no right to schemas: provision.py has
registered them all. Acknowledging, seeking and closing need nothing beside the consumer. So the two actions are enough.

A right to consume on a topic opens every subscription of it that has no list of roles; one that has a list is open to
these roles only, and to administrators. Readers have subscriptions of their own, without lists: whoever may consume may
read. A list is for all topics of a namespace that have a subscription of this name.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from functions.messages.payloads import EventoOrden
from functions.messages.topics import TENANT, full_name
from tools.catalogue import flow
from tools.catalogue.flow import QUARANTINE, Flow
from tools.cluster.repository import CANARY_SUFFIX
from tools.cluster.topics import DEAD_LETTER_SUBSCRIPTION

SUPERUSERS: Final = ("administrator", "broker", "worker")
"""What the brokers' superUserRoles must name: people who may do everything, the brokers, the functions workers."""
DEPLOYER: Final = "deployer"
"""Administrator of the tenant: may do everything in it, so it needs no grants."""
OPERATOR: Final = "operator"
BFF: Final = "bff"
READ_BY_BFF: Final = EventoOrden.topic
"""What the BFF's Reader follows, bff/following/announcements.py."""
Kind = Literal["tenant", "subscription", "topic", "namespace"]
Place = tuple[Kind, str]
"""Where a right holds: the tenant, a topic by its full name, a namespace "<tenant>/<namespace>", or a subscription,
"<tenant>/<namespace>/<subscription>".
"""


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """What one role may do in one place. `action`: produce or consume, or another one that Pulsar knows; consume for a
    subscription, administer for the tenant.
    """

    place: Place
    role: str
    action: str

    def __str__(self) -> str:
        return f"{self.role} may {self.action}: {' '.join(self.place)}"


def function_role(function: str) -> str:
    """The role of a function, by its name. A canary does the work of its function, and has its role."""
    return f"function-{function.removesuffix(CANARY_SUFFIX)}"


def roles() -> tuple[str, ...]:
    """All roles: each needs a token."""
    functions = sorted(function_role(function.name) for function in _flow().functions)
    return (*SUPERUSERS, DEPLOYER, OPERATOR, BFF, *functions)


@cache
def required(pods: bool = False) -> frozenset[Right]:
    """All that the roles need. `pods`: functions are pods of Kubernetes. Such a pod fetches its package from a worker,
    for which Pulsar demands the right `functions` in the namespace, and knows no smaller one.
    """
    return frozenset(
        {
            Right(("tenant", TENANT), DEPLOYER, "administer"),
            *(_rights_of_pods(_flow()) if pods else ()),
            *_rights_of_functions(_flow()),
            *_rights_of_bff(_flow()),
            *_rights_of_operators(_flow()),
        }
    )


@cache
def _flow() -> Flow:
    return flow.read()


def _rights_of_functions(known: Flow) -> set[Right]:
    """Functions read their inputs by their own subscription. They publish what they declare, and, of what they can't
    process, dead letters, and an event if it belongs to a saga.
    """
    rights = set[Right]()
    for function in known.functions:
        publishes = {*function.publishes, function.dead_letters}
        if known.is_of_saga(function):
            publishes.add(QUARANTINE)
        role = function_role(function.name)
        rights |= _on_topics(role, "produce", publishes) | _on_topics(role, "consume", function.receives)
        rights |= _on_subscription(role, function.subscription, function.receives)
    return rights


def _rights_of_pods(known: Flow) -> set[Right]:
    return {
        Right(
            ("namespace", f"{TENANT}/{function.dead_letters.partition('/')[0]}"),
            function_role(function.name),
            "functions",
        )
        for function in known.functions
    }


def _rights_of_bff(known: Flow) -> set[Right]:
    """The BFF publishes the commands that it sends, and follows the events of orders."""
    commands = {topic for topic in known.schemas if flow.BFF in known.senders(topic)}
    return _on_topics(BFF, "produce", commands) | _on_topics(BFF, "consume", {READ_BY_BFF})


def _rights_of_operators(known: Flow) -> set[Right]:
    """Operators publish and read whatever has a schema: publish.py, listen.py, deadlines.py; dlq.py, which publishes
    messages again and audits it. Dead letters they read and acknowledge; only functions publish them.
    """
    dead_letters = {function.dead_letters for function in known.functions}
    return (
        _on_topics(OPERATOR, "produce", set(known.schemas))
        | _on_topics(OPERATOR, "consume", {*known.schemas, *dead_letters})
        | _on_subscription(OPERATOR, DEAD_LETTER_SUBSCRIPTION, dead_letters)
    )


def _on_topics(role: str, action: str, topics: Iterable[str]) -> set[Right]:
    return {Right(("topic", full_name(topic)), role, action) for topic in topics}


def _on_subscription(role: str, subscription: str, topics: Iterable[str]) -> set[Right]:
    """A subscription of these topics, <namespace>/<topic>."""
    namespaces = {topic.partition("/")[0] for topic in topics}
    return {Right(("subscription", f"{TENANT}/{name}/{subscription}"), role, "consume") for name in namespaces}
