"""What NetworkPolicies of one namespace allow, as Kubernetes says that they work: pods, and who may call whom."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from tests.support.chart import recorded
from tests.support.manifests import resources

Labels = Mapping[str, str]
MONITORING: Final = {"kubernetes.io/metadata.name": "monitoring"}
"""The labels of the namespace of Prometheus."""


@dataclass(frozen=True)
class Peer:
    """Who calls or is called: a pod's labels, and those of its namespace if it is another than that of the policies."""

    labels: Labels
    namespace: Labels | None = None


def labelled_pods() -> dict[str, Labels]:
    """The labels of the pods that the manifests and the chart make, by the name of what makes them; a function's too,
    and those of the example of a PostgreSQL.
    """
    found: dict[str, Labels] = {
        "function": {"component": "function", "tenant": "monoliticas", "namespace": "saga", "name": "registrar-saga"},
        "postgres": {"app.kubernetes.io/name": "postgres"},
    }
    for manifest in [*resources(), *recorded()]:
        spec = manifest.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template:
            found[manifest["metadata"]["name"]] = template["metadata"]["labels"]
    return found


@cache
def policies() -> list[dict[str, Any]]:
    """The specifications of the NetworkPolicies."""
    return [manifest["spec"] for manifest in resources() if manifest["kind"] == "NetworkPolicy"]


def selects(selector: Mapping[str, Any], labels: Labels) -> bool:
    """Whether a selector chooses what has these labels. An empty one chooses all."""
    for expression in selector.get("matchExpressions", ()):
        assert expression["operator"] == "In"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def may_call(source: Peer, target: Peer, port: int) -> bool:
    """Whether the policies let `source` open a TCP connection to a port of `target`."""
    return _allows("Egress", source, target, port) and _allows("Ingress", target, source, port)


def _allows(direction: str, own: Peer, other: Peer, port: int) -> bool:
    if own.namespace is not None:
        return True
    relevant = [p for p in policies() if direction in p["policyTypes"] and selects(p["podSelector"], own.labels)]
    rules = [rule for policy in relevant for rule in policy.get(direction.lower(), ())]
    side = "from" if direction == "Ingress" else "to"
    return not relevant or any(_matches(rule, side, other, port) for rule in rules)


def _matches(rule: Mapping[str, Any], side: str, other: Peer, port: int) -> bool:
    ports = [p["port"] for p in rule.get("ports", ()) if p["protocol"] == "TCP"]
    return port in ports and (side not in rule or any(_is_peer(peer, other) for peer in rule[side]))


def _is_peer(peer: Mapping[str, Any], other: Peer) -> bool:
    if "namespaceSelector" in peer:
        return other.namespace is not None and selects(peer["namespaceSelector"], other.namespace)
    return other.namespace is None and selects(peer["podSelector"], other.labels)


def peers(policy: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The selectors of pods in a policy: whom it is for, and whom it names."""
    yield policy["podSelector"]
    for direction, side in (("ingress", "from"), ("egress", "to")):
        for rule in policy.get(direction, ()):
            yield from (peer["podSelector"] for peer in rule.get(side, ()) if "podSelector" in peer)
