"""What the official chart makes of our values: secured, and spread so that one node may be away.

The record is compared with Helm's output where `helm` is on the PATH and PULSAR_CHART names the chart's folder; and
kubeconform and kube-score check it where they are there (manifests/README.md says how to have them).
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.support.chart import RECORD, config, named, recorded, render, values_hash
from tests.support.kubernetes_schemas import kubernetes_failures, write_schemas
from tests.support.manifests import KUBERNETES, VALUES, generated, resources

CERTIFICATES: Final = ("Certificate", "Issuer")
"""Kinds of cert-manager."""
STATEFUL: Final = {m["metadata"]["name"]: m["spec"] for m in recorded() if m["kind"] == "StatefulSet"}
WORKLOADS: Final = [m for m in recorded() if m["kind"] in ("StatefulSet", "Job")]
IGNORED: Final = {
    "container-ephemeral-storage-request-and-limit": "nothing writes much outside its volumes",
    "container-image-tag": "ours have theirs from the kustomization",
    "container-image-pull-policy": "images are named by digest or by tags that stay",
    "container-security-context-readonlyrootfilesystem": "Pulsar's programs write configuration and logs beside them",
    "container-security-context-user-group-id": "Pulsar's image has the user 10000 of the group 0",
    "deployment-has-host-podantiaffinity": "topologySpreadConstraints say it",
    "networkpolicy-targets-pod": "functions' pods come from Pulsar, PostgreSQL's are an example",
    "pod-networkpolicy": "who may reach Pulsar is said, not whom it may reach: Kubernetes' API, too",
    "pod-probes": "the chart has none for autorecovery",
    "pod-probes-identical": "the chart's",
    "statefulset-has-poddisruptionbudget": "the chart has none for autorecovery, whose work can wait",
}
"""Tests of kube-score that are not made, and why."""


def objects() -> list[dict[str, Any]]:
    """Everything but secrets: the chart's objects and ours."""
    return [*recorded(), *resources(), *yaml.safe_load_all((KUBERNETES / "namespace.yaml").read_text("utf-8"))]


def test_the_record_is_of_these_values() -> None:
    assert json.loads(RECORD.read_text("utf-8"))["values"] == values_hash(), "record it: see tests/support/chart.py"


@pytest.mark.parametrize("manifest", recorded(), ids=lambda m: f"{m['kind']} {m['metadata']['name']}")
def test_each_object_has_the_form_that_the_server_wants(manifest: dict[str, Any]) -> None:
    if manifest["kind"] not in CERTIFICATES:
        assert kubernetes_failures(manifest) == []


def test_every_secret_that_is_mounted_is_made_by_make_secrets_or_cert_manager() -> None:
    certificates = [m["spec"]["secretName"] for m in recorded() if m["kind"] == "Certificate"]
    known = generated().keys() | {(name, key) for name in certificates for key in ("tls.crt", "tls.key", "ca.crt")}
    mounted = set()
    for workload in WORKLOADS:
        for volume in workload["spec"]["template"]["spec"].get("volumes") or ():
            if "secret" in volume:
                name, items = volume["secret"]["secretName"], volume["secret"]["items"]
                mounted |= {(name, item["key"]) for item in items}
    assert mounted <= known
    assert {("pulsar-token-broker", "TOKEN"), ("pulsar-token-worker", "TOKEN")} <= mounted
    assert {("pulsar-token-asymmetric-key", "PUBLICKEY"), ("pulsar-ca-tls", "ca.crt")} <= mounted
    assert ("pulsar-ca-tls", "tls.key") not in mounted
    issuer = next(m for m in recorded() if m["kind"] == "Issuer")
    assert issuer["spec"]["ca"]["secretName"] == "pulsar-ca-tls"


def test_clients_must_show_a_token_and_be_allowed_to() -> None:
    broker, worker = config("broker"), {k.removeprefix("PF_"): v for k, v in config("function-worker").items()}
    for said in (broker, worker):
        assert said["authenticationEnabled"] == said["authorizationEnabled"] == "true"
        assert set(said["superUserRoles"].split(",")) == {"administrator", "broker", "worker"}
        assert said["authenticationProviders"].endswith(".AuthenticationProviderToken")
        assert not said.get("proxyRoles")
    assert broker["tokenPublicKey"] == worker["properties_tokenPublicKey"] == "file:///pulsar/keys/token/public.key"
    assert broker["functionsWorkerEnabled"] == "false"
    assert worker["functionAuthProviderClassName"] == "TokenOfFunction"
    for name in ("clientAuthenticationParameters", "brokerClientAuthenticationParameters"):
        assert worker[name] == "file:///pulsar/worker/token"
    assert worker["configurationMetadataStoreUrl"] == broker["metadataStoreUrl"]


def test_brokers_and_workers_speak_tls_only_and_verify_names() -> None:
    broker, worker = config("broker"), {k.removeprefix("PF_"): v for k, v in config("function-worker").items()}
    assert (broker["brokerServicePort"], broker["brokerServicePortTls"]) == ("", "6651")
    assert broker["brokerClientTlsEnabled"] == broker["PULSAR_PREFIX_tlsHostnameVerificationEnabled"] == "true"
    assert worker["useTls"] == worker["tlsEnabled"] == worker["tlsEnableHostnameVerification"] == "true"
    assert worker["functionRuntimeFactoryConfigs_pulsarServiceUrl"].startswith("pulsar+ssl://")
    assert worker["functionRuntimeFactoryConfigs_pulsarAdminUrl"].startswith("https://pulsar-function-worker:")
    names = {m["metadata"]["name"]: m["spec"]["dnsNames"] for m in recorded() if m["kind"] == "Certificate"}
    for component in ("broker", "function-worker"):
        headless = STATEFUL[f"pulsar-{component}"]["serviceName"]
        assert f"*.{headless}.poc-monoliticas.svc.cluster.local" in names[f"pulsar-tls-{component}"]
        assert f"pulsar-{component}" in names[f"pulsar-tls-{component}"]


def test_one_node_may_be_away() -> None:
    budgets = {m["metadata"]["name"]: m["spec"] for m in recorded() if m["kind"] == "PodDisruptionBudget"}
    for name, spec in STATEFUL.items():
        labels = spec["template"]["metadata"]["labels"]
        (rule,) = spec["template"]["spec"]["affinity"]["podAntiAffinity"][
            "requiredDuringSchedulingIgnoredDuringExecution"
        ]
        assert rule["topologyKey"] == "kubernetes.io/hostname"
        for spread in spec["template"]["spec"].get("topologySpreadConstraints", ()):
            assert spread["topologyKey"] == "topology.kubernetes.io/zone"
            assert spread["labelSelector"]["matchLabels"].items() <= labels.items()
        if name != "pulsar-recovery":
            assert spec["template"]["spec"]["topologySpreadConstraints"]
            assert budgets[name]["maxUnavailable"] == 1
            assert budgets[name]["selector"]["matchLabels"].items() <= labels.items()
    replicas = {name.removeprefix("pulsar-"): spec["replicas"] for name, spec in STATEFUL.items()}
    assert replicas == {"zookeeper": 3, "bookie": 4, "broker": 2, "function-worker": 2, "recovery": 2}
    broker = config("broker")
    ensemble, write, ack = (
        int(broker[f"managedLedgerDefault{n}"]) for n in ("EnsembleSize", "WriteQuorum", "AckQuorum")
    )
    assert replicas["bookie"] > ensemble >= write > ack >= 2
    assert broker["metadataStoreSessionTimeoutMillis"] == named("ConfigMap", "pulsar-bookie")["data"]["zkTimeout"]
    assert broker["metadataStoreSessionTimeoutMillis"] == "10000"


def test_every_container_says_what_it_needs_and_no_pod_has_privileges() -> None:
    for workload in WORKLOADS:
        pod = workload["spec"]["template"]["spec"]
        for container in [*(pod.get("initContainers") or ()), *pod["containers"]]:
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}, container["name"]
            assert "memory" in container["resources"]["limits"], container["name"]
            assert not container.get("securityContext")
        assert not pod.keys() & {"hostNetwork", "hostPID", "hostIPC"}
        assert not any("hostPath" in volume for volume in pod.get("volumes") or ())
    for component in ("zookeeper", "bookie", "broker"):  # the chart lets nobody say it of the others
        context = STATEFUL[f"pulsar-{component}"]["template"]["spec"]["securityContext"]
        assert (context["runAsNonRoot"], context["seccompProfile"]) == (True, {"type": "RuntimeDefault"})


@pytest.mark.skipif(not (shutil.which("helm") and os.environ.get("PULSAR_CHART")), reason="no Helm, or no chart")
def test_helm_makes_what_is_recorded() -> None:
    assert render(Path(os.environ["PULSAR_CHART"])) == recorded()
    assert VALUES["defaultPulsarImageTag"] in str(recorded())


@pytest.mark.skipif(shutil.which("kubeconform") is None, reason="no kubeconform on the PATH")
def test_kubeconform_finds_nothing(tmp_path: Path) -> None:
    write_schemas(tmp_path)
    command = ["kubeconform", "-strict", "-summary", "-skip", ",".join(CERTIFICATES)]
    location = ["-schema-location", f"{tmp_path}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json"]
    text = yaml.safe_dump_all(objects())
    ended = subprocess.run([*command, *location], input=text, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout


@pytest.mark.skipif(shutil.which("kube-score") is None, reason="no kube-score on the PATH")
def test_kube_score_finds_nothing_but_what_is_meant() -> None:
    command = ["kube-score", "score", "-", "--output-format", "ci", "--ignore-container-cpu-limit"]
    ignored = [argument for name in IGNORED for argument in ("--ignore-test", name)]
    text = yaml.safe_dump_all(objects())
    ended = subprocess.run([*command, *ignored], input=text, capture_output=True, text=True, check=False)
    assert [line for line in ended.stdout.splitlines() if not line.startswith(("[OK]", "[SKIPPED]"))] == []
    assert ended.returncode == 0, ended.stderr
