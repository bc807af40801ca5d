"""NetworkPolicies: what has to reach something does, with TLS, and nothing else does."""

from typing import Final

import pytest

from tests.support.chart import named, recorded
from tests.support.manifests import config_map
from tests.support.network import MONITORING, Peer, labelled_pods, may_call, peers, policies, selects

PODS: Final = {name: Peer(labels) for name, labels in labelled_pods().items()}
PROMETHEUS: Final = Peer({"app": "prometheus"}, MONITORING)
STRANGERS: Final = [Peer({"app": "stranger"}), Peer({"app": "pulsar"}, {"kubernetes.io/metadata.name": "other"})]
PULSAR: Final = {name for name, pod in PODS.items() if pod.labels.get("app") == "pulsar"}
CALLERS: Final = {
    ("pulsar-broker", 6651): {"bff", "deploy", "operator", "function", *PULSAR},
    ("pulsar-broker", 8443): {"deploy", "operator", *PULSAR},
    ("pulsar-function-worker", 6751): {"deploy", "operator", "function", *PULSAR},
    ("pulsar-bookie", 3181): PULSAR,
    ("pulsar-zookeeper", 2181): PULSAR,
    ("pulsar-zookeeper", 2888): {"pulsar-zookeeper"},
    ("pulsar-zookeeper", 3888): {"pulsar-zookeeper"},
    ("function", 9093): {"pulsar-function-worker"},
    ("postgres", 5432): {"bff", "databases", "prune", "function", "postgres"},
}
"""Who in the namespace may call a port, of all that are called there."""
METRICS: Final = {
    ("pulsar-broker", 8080),
    ("pulsar-function-worker", 6750),
    ("pulsar-bookie", 8000),
    ("pulsar-recovery", 8000),
    ("pulsar-zookeeper", 8000),
    ("function", 9094),
}


@pytest.mark.parametrize(("target", "port"), CALLERS)
def test_a_port_is_reached_by_those_who_need_it_and_nobody_else(target: str, port: int) -> None:
    assert {name for name, pod in PODS.items() if may_call(pod, PODS[target], port)} == CALLERS[target, port]
    assert not any(may_call(stranger, PODS[target], port) for stranger in [*STRANGERS, PROMETHEUS])


def test_there_are_pods_of_everything_that_pulsar_is() -> None:
    assert {"pulsar-broker", "pulsar-function-worker", "pulsar-bookie", "pulsar-zookeeper", "pulsar-recovery"} <= PULSAR


@pytest.mark.parametrize(("target", "port"), [("pulsar-broker", 6650), ("pulsar-broker", 8080), ("bff", 22)])
def test_what_is_not_said_is_refused(target: str, port: int) -> None:
    assert not any(may_call(caller, PODS[target], port) for caller in [*PODS.values(), *STRANGERS])


def test_prometheus_reaches_metrics_and_nobody_else_does_but_who_asks_there_for_more() -> None:
    for target, port in METRICS:
        assert may_call(PROMETHEUS, PODS[target], port)
        assert not any(may_call(caller, PODS[target], port) for caller in [*PODS.values(), *STRANGERS])


def test_everybody_reaches_the_bff_which_reaches_an_identity_provider() -> None:
    assert all(may_call(stranger, PODS["bff"], 3000) for stranger in STRANGERS)
    assert may_call(PODS["bff"], Peer({}, {"anywhere": "else"}), 443)
    assert not may_call(PODS["function"], Peer({}, {"anywhere": "else"}), 443)
    assert not may_call(PODS["deploy"], PODS["postgres"], 5432)


def test_every_selector_chooses_pods_that_there_are() -> None:
    for selector in (selector for policy in policies() for selector in peers(policy)):
        assert any(selects(selector, pod.labels) for pod in PODS.values()), selector


def test_each_port_is_one_that_the_chart_opens() -> None:
    for target, port in CALLERS.keys() | METRICS:
        if target.startswith("pulsar-") and target != "pulsar-recovery":
            (container,) = named("StatefulSet", target)["spec"]["template"]["spec"]["containers"]
            assert port in {opened["containerPort"] for opened in container["ports"]}, (target, port)


def test_addresses_are_services_of_the_chart_with_tls() -> None:
    services = {m["metadata"]["name"]: m["spec"]["ports"] for m in recorded() if m["kind"] == "Service"}
    ports = {(name, port["port"]): port["name"] for name, opened in services.items() for port in opened}
    addresses = config_map()
    for variable, scheme, name in (
        ("PULSAR_ADMIN_URL", "https", "https"),
        ("PULSAR_FUNCTIONS_URL", "https", "https"),
        ("PULSAR_SERVICE_URL", "pulsar+ssl", "pulsarssl"),
    ):
        used, _, rest = addresses[variable].partition("://")
        host, _, port = rest.partition(":")
        assert used == scheme
        assert ports[host, int(port)] == name
